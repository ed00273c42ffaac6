"""Asks a gateway for small things until its standard input ends, then prints the longest answer's time in milliseconds.

    bystander.py PORT PATH…

It is a process of its own, so that it waits for the gateway alone. Each path is asked on a kept connection and in a thread of
its own; the completion is one that the gateway itself answers.
"""

import http.client
import sys
import threading
import time

# Between two questions, in seconds.
PAUSE = 0.002
COMPLETION = b'{"model":"mock/echo","messages":[{"role":"user","content":"hi"}]}'


class Bystander(threading.Thread):
    def __init__(self, port, path, over):
        super().__init__(daemon=True)
        self.connection, self.path, self.over = http.client.HTTPConnection("127.0.0.1", port, timeout=120), path, over
        self.longest = 0
        self.ready = threading.Event()
        self.wrong = None

    def run(self):
        try:
            # The first answers open the connection and fill caches.
            for _ in range(5):
                self.ask()
            self.ready.set()
            while not self.over.is_set():
                began = time.monotonic()
                self.ask()
                self.longest = max(self.longest, time.monotonic() - began)
                self.over.wait(PAUSE)
        except Exception as error:
            self.wrong = f"{self.path}: {error!r}"
        self.ready.set()

    def ask(self):
        method, body = ("POST", COMPLETION) if self.path.endswith("/chat/completions") else ("GET", None)
        headers = {"Content-Type": "application/json", "Authorization": "Bearer client-key"}
        self.connection.request(method, self.path, body, headers)
        response = self.connection.getresponse()
        text = response.read()
        assert response.status == 200, f"{response.status} {text[:200]}"


def main():
    over = threading.Event()
    threads = [Bystander(int(sys.argv[1]), path, over) for path in sys.argv[2:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.ready.wait()
    print("ready", flush=True)
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    wrong = [thread.wrong for thread in threads if thread.wrong]
    if wrong:
        sys.exit("; ".join(wrong))
    print(round(1000 * max(thread.longest for thread in threads), 1), flush=True)


main()
