"""Asks a gateway for small things until its standard input ends, then prints how long the longest answer took, in milliseconds.

    bystander.py PORT PATH…

A process of its own, so that it waits for nobody but the gateway. Each path is asked on a kept connection and in a thread of its own; the completion is
one that the gateway itself answers.
"""

import http.client
import sys
import threading
import time

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
                time.sleep(PAUSE)
        except Exception as error:
            self.wrong = f"{self.path}: {error!r}"
        self.ready.set()

    def ask(self):
        is_completion = self.path.endswith("/chat/completions")
        headers = {"Content-Type": "application/json", "Authorization": "Bearer client-key"}
        self.connection.request("POST" if is_completion else "GET", self.path, COMPLETION if is_completion else None, headers)
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
    print("; ".join(wrong) if wrong else round(1000 * max(thread.longest for thread in threads), 1), flush=True)


main()
