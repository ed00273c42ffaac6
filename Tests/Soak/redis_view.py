"""Looks into Redis: a few commands over its socket (RESP2), so that no package is needed."""

import socket


class RedisView:
    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(20)
        self._socket.connect(str(path))
        self._replies = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._replies.close()
        self._socket.close()

    def __call__(self, *words):
        encoded = [str(word).encode() for word in words]
        self._socket.sendall(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
        return self._read()

    def keys(self, pattern):
        cursor, keys = "0", set()
        while True:
            cursor, found = self("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            keys.update(found)
            if cursor == "0":
                return keys

    def info(self, section):
        return dict(line.split(":", 1) for line in self("INFO", section).splitlines() if ":" in line)

    def _read(self):
        line = self._replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2].decode(errors="replace")
        match kind:
            case b":":
                return int(rest)
            case b"$":
                return None if rest == "-1" else self._replies.read(int(rest) + 2)[:-2].decode(errors="replace")
            case b"*":
                return None if rest == "-1" else [self._read() for _ in range(int(rest))]
            case b"-":
                return RuntimeError(rest)
        return rest
