"""How often something may be tried: so many times in so many seconds, for each key and for all together."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

_MOST_KEYS = 10_000


class Tries:
    """Counts tries by key. Used by several threads; forgotten with the process."""

    def __init__(self, *, most: int, of_all: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.of_all, self.seconds, self._clock = most, of_all, seconds, clock
        self._by_key: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque()
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Note a try, and give 0; or the seconds until the next one is allowed, and then none is noted."""
        with self._lock:
            now = self._clock()
            mine = self._by_key.setdefault(key, deque())
            self._by_key.move_to_end(key)
            while len(self._by_key) > _MOST_KEYS:
                self._by_key.popitem(last=False)
            left = max(self._left(mine, self.most, now), self._left(self._all, self.of_all, now))
            if left <= 0:
                mine.append(now)
                self._all.append(now)
            return max(0.0, left)

    def forget(self, key: str) -> None:
        """The try was right: those before it count no more."""
        with self._lock:
            self._by_key.pop(key, None)

    def _left(self, tries: deque[float], most: int, now: float) -> float:
        while tries and tries[0] <= now - self.seconds:
            tries.popleft()
        return tries[len(tries) - most] + self.seconds - now if len(tries) >= most else 0.0
