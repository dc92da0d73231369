"""Looks at the folders of jobs again and again, and notes every state that can never have been true."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from pruning.base.errors import PruningError
from pruning.jobs.job import Job
from pruning.runs.job import read_events

ORDER = ("queued", "running", "done")
TUNED = "finetuned"


@dataclass
class Seen:
    """What was seen of one folder."""

    folder: Path
    states: list[tuple[float, str]] = field(default_factory=list)
    """Each change, with its monotonic time."""
    tuned: float | None = None
    """When the accuracy after fine-tuning stood there."""
    wrong: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.states[-1][1] if self.states else ""

    def when(self, state: str) -> float | None:
        """When it was first in a state."""
        return next((at for at, name in self.states if name == state), None)


@dataclass
class States:
    """Follows all folders in `root`, whether they are runs or not, in a thread of its own. Nobody cancels here, so a
    job is queued, runs, and is done: every other order is a false state."""

    root: Path
    every: float = 0.5
    seen: dict[str, Seen] = field(default_factory=dict)

    def __enter__(self) -> States:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    @property
    def wrong(self) -> list[str]:
        """Every false state."""
        return [f"{one.folder.name}: {words}" for one in self.seen.values() for words in one.wrong]

    def _look(self) -> None:
        while not self._end.wait(self.every):
            for folder in self.root.iterdir() if self.root.is_dir() else ():
                self._see(self.seen.setdefault(folder.name, Seen(folder=folder)))

    def _see(self, one: Seen) -> None:
        if one.state == "done" or not one.folder.is_dir():
            return
        try:
            status = Job.in_folder(one.folder).status()
        except PruningError as error:
            one.wrong.append(f"cannot be read: {error}")
            return
        if status is None:
            return
        now = time.monotonic()
        if status.state != one.state:
            before = ORDER.index(one.state) if one.state in ORDER else -1
            if status.state not in ORDER:
                one.wrong.append(f"is said to be {status.state}: {status.text}")
            elif ORDER.index(status.state) < before:
                one.wrong.append(f"{status.state} after {one.state}")
            one.states.append((now, status.state))
        if one.tuned is None and (one.folder / "recipe.yaml").exists():
            stages = read_events(one.folder).stages
            if any(event.get("stage") == TUNED for event in stages):
                one.tuned = now
