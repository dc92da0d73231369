"""A run's networks on several engines: a job of its own that is asked for, in quiet, and leaves `engines.json` beside
the result. It may be done again, also on another machine: the last times count.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pruning.base.errors import Cancelled, InputError, StorageError
from pruning.base.files import replace_file
from pruning.base.safe_json import dump
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.job import Job
from pruning.jobs.queue.ticket import TIMING
from pruning.jobs.status import Status
from pruning.jobs.wishes import OWNER
from pruning.latency.engines.eager import EAGER
from pruning.latency.engines.matrix import Cell
from pruning.latency.engines.table import ENGINES, sorted_out
from pruning.latency.processor import processor
from pruning.latency.quietly import PROMPT_SECONDS, quietly
from pruning.latency.threads import timing_threads
from pruning.runs.engine_times import EngineTimes, read_engine_times
from pruning.runs.files import ENGINES as FILE
from pruning.runs.files import engines_folder
from pruning.runs.times import BATCHES, STOPPED_SECONDS, Say, stopped, storing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruning.base.cancel import Cancel
    from pruning.jobs.work import Work
    from pruning.latency.engines.engine import Engine
    from pruning.runs.engine_networks import Opened

MOST_BATCH = 4096
"""Samples at a time that are timed at most."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be timed."""

    engines: tuple[str, ...] = tuple(ENGINES)
    batches: tuple[int, ...] = BATCHES
    int8: bool = True
    """Whether the pruned network is quantized as well."""

    def __post_init__(self) -> None:
        sorted_out(self.engines)  # refuses a name that is none
        wrong = next((batch for batch in self.batches if not 1 <= batch <= MOST_BATCH), None)
        if wrong is not None:
            raise InputError(f"A batch of {wrong:,} cannot be timed: it has 1 to {MOST_BATCH:,} samples.")
        if not self.engines or not self.batches:
            raise InputError("Name at least one engine and one batch size.")

    @property
    def arguments(self) -> list[str]:
        """Of the command that carries it out."""
        engines = [text for name in self.engines for text in ("--engine", name)]
        batches = [text for batch in self.batches for text in ("--batch", str(batch))]
        return [*engines, *batches, *([] if self.int8 else ["--no-int8"])]


def engines_job(folder: Path) -> Job:
    """The job that times the networks of the run in a folder on several engines."""
    return Job.in_folder(engines_folder(folder))


def start_engines(folder: Path, asked: Asked | None = None, visitor: str = OWNER) -> bool:
    """Have the networks of a finished run timed when the machine is quiet; False where that is under way.

    Raises:
        InputError: too many jobs wait.
        StorageError: the job cannot be written, or no process can be started.
    """
    arguments = ["engines", *(asked or Asked()).arguments, "--", str(folder)]
    return LocalExecutor().submit(arguments, engines_job(folder), kind="engines", visitor=visitor, lane=TIMING)


def engines_status(folder: Path) -> Status | None:
    """How the job stands; None where it was never asked for."""
    return engines_job(folder).status()


def stop_engines(folder: Path, seconds: float = STOPPED_SECONDS) -> bool:
    """As `pruning.runs.times.stop_times`."""
    return stopped(engines_job(folder), seconds)


def measure_engines(
    folder: Path,
    asked: Asked | None = None,
    *,
    patience: float = PROMPT_SECONDS,
    say: Say = lambda text: None,
    cancel: Cancel | None = None,
    work: Work | None = None,
) -> EngineTimes:
    """Time the dense network of a finished run, the pruned one and that in int8 on engines that are here, measure what
    they answer, and write it into the run's folder in place of what was measured before. `patience`, `work`: as in
    `measure_times`.

    Raises:
        InputError: the folder holds no finished run, another process is on it, or none of the engines can be timed.
        StorageError: a network cannot be opened, or the times cannot be written.
        Cancelled: `cancel()` became true.
    """
    from pruning.latency.engines.measure import measure
    from pruning.runs.engine_networks import opened

    asked = asked or Asked()
    engines, absent = sorted_out(asked.engines)
    _check_any(engines, absent)
    with (
        engines_job(folder).working(work) as work,
        tempfile.TemporaryDirectory(prefix="pruning-engines-", ignore_cleanup_errors=True) as place,
    ):
        stop = work.cancel_or(cancel)

        def tell(text: str) -> None:
            work.say(text)
            say(text)

        began, threads = datetime.now(UTC), timing_threads()
        own = opened(folder, Path(place))
        if asked.int8 and any("int8" in engine.precisions for engine in engines):
            tell("Quantizing the pruned network to int8")
            own = own.quantized(stop)
        for engine in list(engines):
            tell(f"Running the networks on {engine.title}")
            refusal = own.networks.refusal(engine, asked.batches, threads)
            if refusal is not None:
                engines.remove(engine)
                absent[engine.name] = refusal
            if stop():
                raise Cancelled("Cancelled before anything was timed.")
        _check_any(engines, absent)
        tell("Measuring what they answer to select images")
        variants = own.variants(engines, threads, stop)
        with quietly("engines", patience=patience, cancel=stop, waiting=tell) as quiet:
            cells = tuple(
                measure(own.networks, engines, asked.batches, threads=threads, rest=quiet.rest, cancel=stop, tell=tell)
            )
        found = EngineTimes(
            at=began,
            cpu=processor(),
            threads=threads,
            torch=EAGER.version(),
            versions={engine.name: engine.version() for engine in engines},
            variants=variants,
            cells=cells,
            absent=absent,
            calibration=own.calibration,
            no_int8=_why_no_int8(asked, own),
        )
        found = _with_earlier(found, folder)
        with storing(folder):
            replace_file(folder / FILE, dump(found.to_values()))
        work.supersedes = True
    return found


def _check_any(engines: list[Engine], absent: Mapping[str, str]) -> None:
    if not engines:
        raise InputError(f"None of the engines can be timed: {' '.join(absent.values())}")


def _why_no_int8(asked: Asked, own: Opened) -> str | None:
    if not asked.int8:
        return "int8 was not asked for."
    if own.calibration is None and own.no_int8 is None:
        return "int8 runs on ONNX Runtime and OpenVINO, which were not timed."
    return own.no_int8


def _with_earlier(found: EngineTimes, folder: Path) -> EngineTimes:
    """The same, with what was measured in quiet before, on this machine and these engines, in place of what is too
    noisy."""
    earlier = None
    with suppress(StorageError):  # damaged: it is written anew
        earlier = read_engine_times(folder)
    if earlier is None or _setting(earlier) != _setting(found):
        return found
    known = {
        (cell.engine, cell.batch): cell
        for cell in earlier.cells
        if earlier.versions[cell.engine] == found.versions.get(cell.engine)
    }
    return replace(found, cells=tuple(_better(cell, known.get((cell.engine, cell.batch))) for cell in found.cells))


def _setting(found: EngineTimes) -> tuple[str, str, int]:
    return found.cpu, found.torch, found.threads


def _better(cell: Cell, earlier: Cell | None) -> Cell:
    if earlier is None:
        return cell
    parts: dict[str, Any] = {}
    for name in ("pruning", "change", "int8"):
        now, before = getattr(cell, name), getattr(earlier, name)
        if now is not None and before is not None and before.quiet and not now.quiet:
            parts[name] = before
    return replace(cell, **parts)
