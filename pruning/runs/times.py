"""A run's times: a job of its own, which follows the run when the machine is quiet and leaves `times.json` beside the
result. It may be done again, also on another machine: the last times count.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pruning.base.errors import InputError, PruningError, StorageError
from pruning.base.fields import Fields
from pruning.base.files import replace_file
from pruning.base.remembered import Remembered
from pruning.base.safe_json import dump, read_object
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.job import Job
from pruning.jobs.queue.ticket import TIMING
from pruning.jobs.status import Status
from pruning.jobs.wishes import OWNER, wishes
from pruning.latency.clock import ENGINE, Comparison, compare_latency
from pruning.latency.comparison_json import comparison_of, comparison_values
from pruning.latency.processor import processor
from pruning.latency.quietly import PROMPT_SECONDS, quietly
from pruning.latency.threads import timing_threads
from pruning.runs.files import TIMES, times_folder
from pruning.runs.job import job_of
from pruning.runs.result import TIMES_FOLLOW, Result, Timed
from pruning.runs.result_json import timed_of

if TYPE_CHECKING:
    from torch import nn

    from pruning.base.cancel import Cancel
    from pruning.jobs.work import Work

BATCHES = (1, 32)
"""Batch sizes at which a run is timed."""
TRIES = 3
"""How often what was too noisy is timed."""
STOPPED_SECONDS = 5.0
SCHEMA_VERSION = 1
DAMAGED = f"its {TIMES} is damaged"
LARGEST = 1_000_000
"""Bytes of the file."""
Say = Callable[[str], None]


def times_job(folder: Path) -> Job:
    """The job that times the networks of the run in a folder."""
    return Job.in_folder(times_folder(folder))


def start_times(folder: Path, visitor: str = OWNER) -> bool:
    """Have the networks of a run that is done, or about to be, timed when the machine is quiet; False where that is
    under way.

    Raises:
        InputError: too many jobs wait.
        StorageError: the job cannot be written, or no process can be started.
    """
    return LocalExecutor().submit(["times", str(folder)], times_job(folder), kind="times", visitor=visitor, lane=TIMING)


def follow_with_times(folder: Path) -> None:
    """`start_times` on the wishes of all who wished for the run. Where that cannot be, the run stays without times, and
    its page offers to measure them."""
    with contextlib.suppress(PruningError):
        asked = [one.visitor for one in wishes(job_of(folder).store)] or [OWNER]
        start_times(folder, asked[0])
        for visitor in asked[1:]:
            times_job(folder).join(visitor)


def times_status(folder: Path) -> Status | None:
    """How the job stands; None where it was never asked for."""
    return times_job(folder).status()


def stop_times(folder: Path, seconds: float = STOPPED_SECONDS) -> bool:
    """Stop the job, so that its process writes nothing more into the folder; False where it still works after so many
    seconds.

    Raises:
        StorageError: the wish that it stops cannot be written.
    """
    return stopped(times_job(folder), seconds)


def stopped(job: Job, seconds: float) -> bool:
    """The same for any job in a run's folder."""
    until = time.monotonic() + seconds
    job.request_cancel()
    while job.is_working:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def measure_times(
    folder: Path,
    *,
    patience: float = PROMPT_SECONDS,
    say: Say = lambda text: None,
    cancel: Cancel | None = None,
    work: Work | None = None,
) -> tuple[Comparison, ...]:
    """Time the dense and the pruned network of a finished run, in this process, and write the times into its folder in
    place of earlier ones. `patience`: as in `quietly`. `work`: of the attempt that this process was started for.

    Raises:
        InputError: the folder holds no finished run, or another process is on it.
        StorageError: a network cannot be opened, or the times cannot be written.
        Cancelled: `cancel()` became true.
    """
    with times_job(folder).working(work) as work:
        stop = work.cancel_or(cancel)

        def tell(text: str) -> None:
            work.say(text)
            say(text)

        dense, pruned, shape = networks_of(folder)
        found = []
        with quietly("times", patience=patience, cancel=stop, waiting=tell) as quiet:
            for batch in BATCHES:
                tell(f"Timing dense and pruned in turn, {'one sample' if batch == 1 else f'{batch} samples'} at a time")
                for _ in range(TRIES):
                    comparison = compare_latency(dense, pruned, shape, batch, rest=quiet.rest, cancel=stop)
                    if comparison.quiet:
                        break
                found.append(comparison)
        found = [_or_earlier(comparison, folder) for comparison in found]
        _write(folder, found)
        work.supersedes = True
    return tuple(found)


def with_times(result: Result, folder: Path) -> Result:
    """A result with the times that were taken after the run; where there are none, with the words for why."""
    try:
        found = _TIMES(folder / TIMES)
        if found is not None:
            return result.with_times(*found)
    except (StorageError, InputError):  # also values that are each allowed, but not together
        return replace(result, untimed=DAMAGED)
    if result.speedups:
        return result
    now = times_status(folder)
    return replace(result, untimed=TIMES_FOLLOW) if now is not None and now.is_working else result


def _or_earlier(found: Comparison, folder: Path) -> Comparison:
    """What was measured; where that is too noisy, and it was measured in quiet before on this machine, that."""
    if found.quiet:
        return found
    with contextlib.suppress(StorageError, InputError):
        timed, comparisons = _TIMES(folder / TIMES) or (None, ())
        for earlier in comparisons:
            same = timed is not None and _setting(timed.cpu, timed.torch, earlier) == _here(found)
            if same and earlier.quiet and earlier.batch == found.batch:
                return earlier
    return found


def _setting(cpu: str, torch: str, found: Comparison) -> tuple[str, str, int, str]:
    return cpu, torch, found.threads, found.engine


def _here(found: Comparison) -> tuple[str, str, int, str]:
    import torch

    return _setting(processor(), torch.__version__, found)


def networks_of(folder: Path) -> tuple[nn.Module, nn.Module, tuple[int, ...]]:
    """The dense network that a run goes back to, the pruned one, and the shape of a sample."""
    from pruning.catalog.openers import open_network
    from pruning.fitting import at_shape
    from pruning.graph.inputs import Inputs
    from pruning.runs.saved_model import read_origin

    pruned = open_network(f"run:{folder}")
    dense = open_network(read_origin(folder))
    shape = Inputs.of(pruned.example_inputs).sample_shape
    if Inputs.of(dense.example_inputs).sample_shape != shape:
        dense = at_shape(dense, shape)
    return dense.model, pruned.model, shape


def _write(folder: Path, found: list[Comparison]) -> None:
    import torch

    values: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "at": min((one.at for one in found if one.quiet and one.at), default=datetime.now(UTC)).isoformat(),
        "cpu": processor(),
        "threads": timing_threads(),
        "engine": ENGINE,
        "torch": torch.__version__,
        "comparisons": [comparison_values(comparison) for comparison in found],
    }
    with storing(folder):
        replace_file(folder / TIMES, dump(values))


def _read(path: Path) -> tuple[Timed, tuple[Comparison, ...]] | None:
    values = read_object(path, most_bytes=LARGEST)
    if values is None:
        return None
    fields = Fields(values, path.name)
    if fields.whole("schema_version", 1) > SCHEMA_VERSION:
        raise StorageError(f"{path.name} is of a later version of the explorer: measure the times again.")
    try:
        return timed_of(fields), tuple(map(comparison_of, fields.parts("comparisons")))
    except InputError as error:
        raise StorageError(f"{path.name} is damaged: {error}") from error


@contextlib.contextmanager
def storing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The times could not be written to {folder} ({error.strerror or error}): make room, and measure again."
        ) from error


_TIMES = Remembered(_read, most=5000)
