"""How late this process itself is on a busy machine: what a client's clock shows beyond its bound may be its own."""

import asyncio
import time

INTERVAL = 0.1


class Lateness:
    def __init__(self):
        # When it was noticed, and how many seconds late.
        self._noticed = []

    async def run(self):
        while True:
            began = time.monotonic()
            await asyncio.sleep(INTERVAL)
            late = time.monotonic() - began - INTERVAL
            if late > INTERVAL:
                self._noticed.append((time.monotonic(), late))

    def between(self, began, ended):
        """Seconds in all."""
        return sum(late for noticed, late in self._noticed if began <= noticed <= ended + 2 * INTERVAL)

    @property
    def most(self):
        return max((late for _, late in self._noticed), default=0.0)
