"""A place in the line: which job, who asked for it, and what is to be carried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pruning.base.fields import Fields
from pruning.jobs.process import Process

WORK, TIMING, PROMPT = "work", "timing", "prompt"
LANES = (WORK, TIMING, PROMPT)
"""What is carried out side by side, as many as the machine has cores; timings, one at a time and in quiet; and timings
that somebody looks at a page for, likewise, so that none of them is behind a long one."""


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """See `pruning.jobs.queue`."""

    number: int
    """Later ones have higher numbers: no clock decides."""
    lane: str = WORK
    kind: str
    """Of work, such as 'run' or 'sensitivity': jobs of one kind tell how long another will take."""
    visitors: tuple[str, ...]
    """Who asked for it, the first to ask first."""
    round: int = 0
    """In which it is served; see `pruning.jobs.queue.order`."""
    job: str = ""
    """Folder of the job; '' for the work of a process that stands in line itself."""
    arguments: tuple[str, ...] = ()
    """Of the command that carries it out."""
    expected: float | None = None
    """Seconds that whoever asked expects it to take."""
    process: Process | None = None
    """The one that stands in line itself, and alone may carry it out; None where any of the pool may."""

    @property
    def name(self) -> str:
        """Of its file, without ending."""
        return f"{self.number:09d}"

    @property
    def is_left(self) -> bool:
        """Whether the process that stood in line is gone."""
        return self.process is not None and self.process.is_gone

    def to_json(self) -> dict[str, Any]:
        """Its fields but the number, which is its name."""
        return {
            "lane": self.lane,
            "kind": self.kind,
            "visitors": list(self.visitors),
            "round": self.round,
            "job": self.job,
            "arguments": list(self.arguments),
            **({} if self.expected is None else {"expected": self.expected}),
            **({} if self.process is None else {"process": self.process.to_json()}),
        }

    @staticmethod
    def from_json(values: Mapping[str, Any], path: Path) -> Ticket:
        """The inverse of `to_json`; `path`: of its file. Raises StorageError where it is damaged."""
        fields = Fields(values, path.name)
        return Ticket(
            number=int(path.stem),
            lane=fields.choice("lane", LANES),
            kind=fields.text("kind"),
            visitors=fields.texts("visitors"),
            round=fields.whole("round", 0),
            job=fields.text("job"),
            arguments=fields.texts("arguments"),
            expected=fields.number("expected", 0) if "expected" in fields else None,
            process=Process.from_fields(fields.part("process")) if "process" in fields else None,
        )
