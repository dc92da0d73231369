"""Races on disk: one file a race, named by its terms, growing while it is run; so all visitors look at the same one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled
from pruning.base.files import cache_dir
from pruning.contest.race import Finish, Mark, Race, Terms, line_up, race
from pruning.data.datasets import Dataset
from pruning.jobs.workfile import WorkFile
from pruning.latency.clock import quiet_machine
from pruning.opening.models import OpenModel
from pruning.runs.identity import request_digest

SCHEMA_VERSION = 1
SAVE_SECONDS = 0.3
"""At most so often the file is written while marks come quickly."""


def file_of(terms: Terms, model_digest: str, data_digest: str) -> WorkFile:
    """Where a race is kept; `WorkFile.status` tells whether it is being run."""
    asked = {"form": SCHEMA_VERSION, **terms.to_values()}
    name = request_digest("contest", asked, weights=model_digest, data=data_digest)[:32]
    return WorkFile(cache_dir() / "contest" / f"{name}.json")


def read(file: WorkFile, terms: Terms) -> Race:
    """The race as far as it is on disk; before its start where there is nothing, or the file is damaged."""
    try:
        return from_json(file.read(), terms)
    except (ValueError, KeyError, TypeError, AttributeError):
        return line_up(terms)


def hold(
    terms: Terms,
    source: OpenModel,
    data: Dataset,
    *,
    progress: Callable[[Race, str], None] | None = None,
    cancel: Cancel | None = None,
) -> Race:
    """Run a race from its start, unless it is on disk already, writing it as it comes; nothing is timed beside it.

    Raises:
        InputError: another process runs the same one.
        StorageError: the cache cannot be written.
        Cancelled: `cancel()` became true, or it was asked to stop; what was run is shown until the next start.
    """
    file, tell = file_of(terms, source.digest, data.digest), progress or (lambda race, text: None)
    now = read(file, terms)
    if now.done:
        return now

    def stop() -> bool:
        return file.is_cancelling or (cancel is not None and cancel())

    def say(text: str) -> None:
        file.say(text)
        tell(now, text)

    with file.working(), quiet_machine(stop, lambda: say("Waiting for another run on this machine")):
        say("On their way")
        now, saved = line_up(terms), 0.0
        file.write(to_json(now))
        try:
            for now in race(terms, source, data, cancel=stop):
                tell(now, "")
                if time.monotonic() - saved > SAVE_SECONDS:
                    file.write(to_json(now))
                    saved = time.monotonic()
        except Cancelled as error:
            raise Cancelled("The race was stopped.") from error
        finally:
            file.write(to_json(now))
    return now


def to_json(found: Race) -> dict[str, Any]:
    """A race as JSON: terms, and each lane's marks and finish."""
    return {
        "schema_version": SCHEMA_VERSION,
        "terms": found.terms.to_values(),
        "lanes": [
            {
                "schedule": lane.schedule,
                "seed": lane.seed,
                "marks": [asdict(mark) for mark in lane.marks],
                "finish": None
                if lane.finish is None
                else {**asdict(lane.finish), "right": "".join("01"[value] for value in lane.finish.right)},
            }
            for lane in found.lanes
        ],
    }


def from_json(text: Any, terms: Terms) -> Race:
    """Marks of a file for exactly these terms.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: damaged, or a file of something else.
    """
    start = line_up(terms)
    if text["schema_version"] != SCHEMA_VERSION or text["terms"] != to_json(start)["terms"]:
        raise ValueError("another race")
    lanes = []
    for lane, said in zip(start.lanes, text["lanes"], strict=True):
        if (said["schedule"], said["seed"]) != (lane.schedule, lane.seed):
            raise ValueError("other lanes")
        lanes.append(replace(lane, marks=tuple(_mark(mark) for mark in said["marks"]), finish=_finish(said["finish"])))
    return replace(start, lanes=tuple(lanes))


def _mark(said: dict[str, Any]) -> Mark:
    mark = Mark(step=int(said["step"]), correct=int(said["correct"]), images=int(said["images"]), after=said["after"])
    if not 0 <= mark.correct <= mark.images or mark.images < 1 or mark.after not in ("cut", "training"):
        raise ValueError("no such accuracy")
    return mark


def _finish(said: dict[str, Any] | None) -> Finish | None:
    if said is None:
        return None
    if not said["right"] or not set(said["right"]) <= {"0", "1"}:
        raise ValueError("no such answers")
    right = tuple(answer == "1" for answer in said["right"])
    return Finish(right=right, kept=int(said["kept"]), total=int(said["total"]), steps=int(said["steps"]))
