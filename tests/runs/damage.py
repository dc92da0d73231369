"""What can befall a run's folder, one way each: used by the tests of readers and of pages."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A way to damage the folder of a finished run of version 1."""

    name: str
    inflict: Callable[[Path], None]
    reason: str | None
    """Part of the sentence that says why it cannot be read; None where it still can."""


def _json(name: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """Change the values of a file; the change may also give others in their place."""

    def inflict(folder: Path) -> None:
        values = json.loads((folder / name).read_text())
        other = change(values)
        (folder / name).write_text(json.dumps(values if other is None else other))

    return inflict


def _text(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def inflict(folder: Path) -> None:
        content = (folder / name).read_bytes()
        assert old in content
        (folder / name).write_bytes(content.replace(old, new, 1))

    return inflict


def _whole(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def _folder(name: str) -> Callable[[Path], None]:
    """A folder in place of a file: unreadable, also for root."""

    def inflict(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return inflict


def _pipe(name: str) -> Callable[[Path], None]:
    """A pipe in place of a file: whoever opens it carelessly waits for ever."""

    def inflict(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return inflict


def _link(target: Callable[[Path], Path]) -> Callable[[Path], None]:
    """A link in place of the folder."""

    def inflict(folder: Path) -> None:
        shutil.rmtree(folder)
        folder.symlink_to(target(folder))

    return inflict


def _cancelled_in(year: int) -> Callable[[Path], None]:
    """Never begun, and asked for at a time far from now."""

    def inflict(folder: Path) -> None:
        for path in folder.iterdir():
            if path.name not in ("recipe.yaml", "job.json"):
                path.unlink()
        _json("job.json", lambda job: job.update(created=f"{year}-01-01T00:00:00+00:00"))(folder)

    return inflict


FAULTS = (
    Fault(
        name="no_zone",
        inflict=_json("job.json", lambda job: job.update(created="2026-01-01T00:00:00")),
        reason="job.json is damaged: created is '2026-01-01T00:00:00', not a date and time with its zone",
    ),
    Fault(
        name="far_future",
        inflict=_json("job.json", lambda job: job.update(created="9998-12-31T23:59:59+00:00")),
        reason=None,
    ),
    Fault(name="queued_in_the_future", inflict=_cancelled_in(9990), reason=None),
    Fault(
        name="year_of_none",
        inflict=_json("job.json", lambda job: job.update(created="0001-01-01T00:00:00+23:00")),
        reason="not a date and time with its zone",
    ),
    Fault(name="job_list", inflict=_whole("job.json", b"[]"), reason="it holds no object"),
    Fault(name="no_utf8_recipe", inflict=_text("recipe.yaml", b"mini", b"mi\xffi"), reason="no UTF-8 text"),
    Fault(name="no_utf8_result", inflict=_text("result.json", b"mini", b"mi\xffi"), reason="no UTF-8 text"),
    Fault(name="no_utf8_job", inflict=_text("job.json", b"created", b"create\xff"), reason="no UTF-8 text"),
    Fault(name="no_utf8_events", inflict=_text("events.jsonl", b"open", b"op\xffn"), reason=None),
    Fault(name="folder_recipe", inflict=_folder("recipe.yaml"), reason="recipe.yaml is no file"),
    Fault(name="folder_job", inflict=_folder("job.json"), reason="job.json is no file"),
    Fault(name="folder_result", inflict=_folder("result.json"), reason="result.json is no file"),
    Fault(name="folder_events", inflict=_folder("events.jsonl"), reason=None),
    Fault(name="pipe_result", inflict=_pipe("result.json"), reason="result.json is no file"),
    Fault(name="pipe_recipe", inflict=_pipe("recipe.yaml"), reason="recipe.yaml is no file"),
    Fault(name="empty_result", inflict=_whole("result.json", b"{}"), reason="holds no schema_version"),
    Fault(name="no_result_text", inflict=_whole("result.json", b""), reason="it is empty"),
    Fault(
        name="truncated",
        inflict=lambda folder: os.truncate(folder / "result.json", 900),
        reason="result.json is damaged: it is no JSON",
    ),
    Fault(
        name="deep", inflict=_whole("result.json", b'{"a":' * 5000 + b"1" + b"}" * 5000), reason="nested too deeply"
    ),
    Fault(name="deep_recipe", inflict=_whole("recipe.yaml", b"[" * 5000), reason="nested too deeply"),
    Fault(
        name="nan", inflict=_json("result.json", lambda values: values.update(seconds=float("nan"))),
        reason="it holds NaN",
    ),
    Fault(
        name="infinity",
        inflict=_json("result.json", lambda values: values["dense"].update(accuracy=float("inf"))),
        reason="it holds Infinity",
    ),
    Fault(
        name="huge", inflict=_json("result.json", lambda values: values["dense"].update(params=10**400)),
        reason="a number is too large",
    ),
    Fault(
        name="zero_parameters",
        inflict=_json("result.json", lambda values: values["dense"].update(params=0, nonzero=0)),
        reason="of 0 parameters",
    ),
    Fault(
        name="later",
        inflict=_json("result.json", lambda values: values.update(schema_version=99)),
        reason="made by a later version of the explorer",
    ),
    Fault(name="later_recipe", inflict=_text("recipe.yaml", b"version: 1", b"version: 9"), reason="version 9"),
    Fault(name="other_recipe", inflict=_text("recipe.yaml", b"seed: 0", b"seed: 1"), reason="of another recipe"),
    Fault(
        name="markup",
        inflict=_json("result.json", lambda values: values.update(threads="<img src=x onerror=alert(1)>")),
        reason="threads is '<img src=x",
    ),
    Fault(name="no_run", inflict=lambda folder: (folder / "recipe.yaml").unlink(), reason="there is no recipe.yaml"),
    Fault(name="link_circle", inflict=_link(lambda folder: folder), reason="cannot be read"),
    Fault(name="link_up", inflict=_link(lambda folder: folder.parent), reason="there is no recipe.yaml"),
    Fault(name="link_nowhere", inflict=_link(lambda folder: folder.parent / "gone"), reason="there is no recipe.yaml"),
)  # fmt: skip
