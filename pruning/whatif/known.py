"""Answers that are known, so that what was asked once is answered at once; and those that somebody is waiting for, so
that whoever asks the same meanwhile waits with them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator

from pruning.whatif.engine import Measured

Key = tuple[str, ...]
"""What was asked: of which network and images, and of which cut."""
LOOK = 0.1
"""Seconds between two looks of one who waits with another at whether to go on."""
SILENCE = 3.0
"""Seconds without a word after which one who waits with another asks on their own."""


class Answers:
    """The last answers, by what was asked; safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Measured] = OrderedDict()
        self._coming: dict[Key, _Coming] = {}
        self._lock = threading.Lock()

    def get(self, key: Key) -> Measured | None:
        """The answer, where it is known."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Key, measured: Measured) -> None:
        """Keep an answer; the one that was asked for longest ago goes."""
        with self._lock:
            self._kept[key] = measured
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def follow(
        self, key: Key, ask: Callable[[], Iterator[Measured]], check: Callable[[], object] = lambda: None
    ) -> Iterator[Measured]:
        """An answer as it becomes known, the last one complete: at once where it is, with the first who asked where
        somebody did, else from `ask()`, whose complete answer is kept. `check` is called while waiting, and may raise.
        """
        while True:
            found = self.get(key)
            if found is not None:
                yield found
                return
            with self._lock:
                coming = self._coming.get(key)
                first = coming is None
                if coming is None:
                    coming = self._coming[key] = _Coming()
            if first:
                try:
                    yield from self._asked(key, ask, coming)
                finally:
                    with self._lock:
                        del self._coming[key]
                    coming.end()
                return
            for measured in coming.follow(check):
                yield measured
                if measured.complete:
                    return
            if not coming.ended:
                yield from self._asked(key, ask, _Coming())
                return

    def _asked(self, key: Key, ask: Callable[[], Iterator[Measured]], coming: _Coming) -> Iterator[Measured]:
        for measured in ask():
            if measured.complete:
                self.put(key, measured)
            now = self.get(key) or measured  # perhaps another one asked the same alone
            coming.tell(now)
            yield now
            if now.complete:
                return


class _Coming:
    """An answer that one asked for, and others wait for as well."""

    def __init__(self) -> None:
        self.ended = False
        """Whether nothing more is to come."""
        self._told: list[Measured] = []
        self._news = threading.Condition()

    def tell(self, measured: Measured) -> None:
        with self._news:
            self._told.append(measured)
            self._news.notify_all()

    def end(self) -> None:
        with self._news:
            self.ended = True
            self._news.notify_all()

    def follow(self, check: Callable[[], object]) -> Iterator[Measured]:
        """What is told from now on, and the last that was, until the end or until nothing was told for SILENCE."""
        seen, heard = 0, time.monotonic()
        while True:
            with self._news:
                if len(self._told) == seen and not self.ended:
                    self._news.wait(LOOK)
                news = self._told[-1] if len(self._told) > seen else None
                seen, ended = len(self._told), self.ended
            check()
            if news is not None:
                heard = time.monotonic()
                yield news
            elif ended or time.monotonic() - heard > SILENCE:
                return
