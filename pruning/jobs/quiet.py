"""Quiet for a clock: whoever computes on this machine stands still for a moment while somebody times a network.

    queue/machine.lock   held by all who compute, together; alone by the one who times
    queue/wanted.lock    held by the one who wants quiet, from before it comes until it may end

Who computes looks at the second between two steps (`breathe`) and lets go of the first, for PAUSE seconds at most: a
timing never holds work up for longer. A timing that takes longer rests in between (`Quiet.rest`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled
from pruning.base.files import cache_dir
from pruning.base.locks import is_held, try_hold

PAUSE = 2.0
"""Seconds for which whoever computes stands still at most."""
BURST = 1.6
"""That a timing holds the machine at once: what is under way when it wants it has to end first."""
REST = 4.0
"""That it lets others compute between two bursts, where there are others."""
LOOK_SECONDS = 0.01
OTHERS = 3 * LOOK_SECONDS
"""Between two bursts where nobody computes: another one who wants quiet has a turn."""
_THREAD = threading.local()


def _machine() -> Path:
    return cache_dir() / "queue" / "machine.lock"


def _wanted() -> Path:
    return cache_dir() / "queue" / "wanted.lock"


@dataclass
class _Share:
    """In the machine, of one thread or of all threads of a process together."""

    file: FileIO | None
    looking: threading.Lock = field(default_factory=threading.Lock)

    def breathe(self) -> None:
        with self.looking:
            if is_held(_wanted()) or self.file is None:
                self.let_go()
                self.file = _let_in()

    def let_go(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None


_PROCESS: list[_Share] = []


@contextmanager
def computing(*, all_threads: bool = False) -> Iterator[None]:
    """Compute inside, and stand still before and at every `breathe` while somebody times a network. `all_threads`: what
    is inside has other threads compute, and this process does nothing else.

    Raises:
        StorageError: there can be no locks in the cache.
    """
    if _PROCESS or getattr(_THREAD, "share", None) is not None:
        yield
        return
    share = _Share(_let_in())
    if all_threads:
        _PROCESS.append(share)
    else:
        _THREAD.share = share
    try:
        yield
    finally:
        if all_threads:
            _PROCESS.remove(share)
        else:
            _THREAD.share = None
        share.let_go()


def breathe() -> None:
    """Between two steps: stand still while somebody times a network. Nothing outside of `computing`."""
    share: _Share | None = getattr(_THREAD, "share", None) or next(iter(_PROCESS), None)
    if share is not None:
        share.breathe()


def _let_in() -> FileIO | None:
    """A share in the machine, as soon as nobody wants quiet; None where that took too long: then without."""
    until = time.monotonic() + PAUSE
    while time.monotonic() < until:
        if not is_held(_wanted()) and (file := try_hold(_machine(), shared=True)) is not None:
            return file
        time.sleep(LOOK_SECONDS)
    return None


class Quiet:
    """Quiet that somebody holds; made by `quiet`."""

    def __init__(self, cancel: Cancel | None) -> None:
        self._cancel = cancel
        self._files: list[FileIO] = []
        self._since = 0.0
        self.is_alone = True
        """Whether nobody else computed when it last began."""

    def rest(self, seconds: float = 0.0) -> bool:
        """Before a measurement of so many seconds: let others compute for a while where there was no rest for long;
        whether it did.

        Raises:
            Cancelled: `cancel()` became true while others computed.
        """
        if self._files and time.monotonic() - self._since + seconds <= BURST:
            return False
        alone = self.is_alone
        self.end()
        self._wait(OTHERS if alone else REST)
        self.begin()
        return True

    def begin(self) -> None:
        """Wait for quiet. Errors as `rest`."""
        wanted = self._held(_wanted(), None)
        assert wanted is not None, "without a limit it waits for as long as it takes"
        self._files.append(wanted)
        self._since = time.monotonic()
        machine = try_hold(_machine(), tries=1)  # at once: whoever computes lets go within a step
        self.is_alone = machine is not None
        machine = machine or self._held(_machine(), PAUSE - BURST)
        if machine is not None:  # else a step takes longer than that: what is measured shows whether it was quiet
            self._files.append(machine)

    def end(self) -> None:
        """Let the others compute."""
        for file in reversed(self._files):
            file.close()
        self._files = []

    def _held(self, path: Path, seconds: float | None) -> FileIO | None:
        until = None if seconds is None else time.monotonic() + seconds
        while (file := try_hold(path)) is None and (until is None or time.monotonic() < until):
            self._wait(LOOK_SECONDS)
        return file

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            if self._cancel is not None and self._cancel():
                raise Cancelled("Cancelled while waiting for a quiet machine.")
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.1))


@contextmanager
def quiet(cancel: Cancel | None = None) -> Iterator[Quiet]:
    """Quiet from now on, in bursts: call `rest` between two measurements. One at a time has it.

    Raises:
        Cancelled: `cancel()` became true while waiting.
        StorageError: there can be no locks in the cache.
    """
    found = Quiet(cancel)
    found.begin()
    try:
        yield found
    finally:
        found.end()
