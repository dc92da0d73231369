"""Engines of several networks in one process: made once each, and within one budget for what they keep."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from pruning.whatif.engine import WhatIf


class Engines:
    """The engines that were asked for last; safe for threads."""

    def __init__(self, *, most: int, budget_bytes: int) -> None:
        """`most`: engines that there are at once. `budget_bytes`: for values that all of them together keep between
        questions; those asked for longest ago forget theirs first."""
        self.most, self.budget_bytes = most, budget_bytes
        self._made: OrderedDict[Hashable, WhatIf] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], WhatIf]) -> WhatIf:
        """The engine of a network with its images, made where there is none yet; whoever asks for it meanwhile waits.

        Raises what `make` raises.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                found = self._made.get(key)
            if found is None:
                found = make()
            with self._lock:
                self._made[key] = found
                self._made.move_to_end(key)
                while len(self._made) > self.most:
                    self._making.pop(self._made.popitem(last=False)[0], None)
        self._keep_within_budget()
        return found

    def _keep_within_budget(self) -> None:
        with self._lock:
            engines = list(self._made.values())
        total = sum(engine.kept_bytes for engine in engines)
        for engine in engines[:-1]:
            if total <= self.budget_bytes:
                return
            total -= engine.kept_bytes
            engine.forget()
