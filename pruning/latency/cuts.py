"""The time of a cut that somebody looks at: one job a network and number of units that stay, which leaves the time when
it is done. Equal questions are one job, and a time that was measured in quiet answers them from then on.

Which units stay makes no difference to the time, only how many: the widths decide.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import torch

from pruning.base.errors import InputError, StorageError
from pruning.base.fields import Fields
from pruning.base.files import cache_dir
from pruning.base.safe_json import dump, load_object
from pruning.granularity import GRANULARITIES, Granularity
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.job import Job
from pruning.jobs.queue.ticket import PROMPT
from pruning.jobs.wishes import OWNER
from pruning.latency.clock import Comparison, compare_latency
from pruning.latency.comparison_json import comparison_of, comparison_values
from pruning.latency.processor import processor
from pruning.latency.quietly import quietly
from pruning.latency.threads import timing_threads

if TYPE_CHECKING:
    from pruning.base.cancel import Cancel
    from pruning.jobs.work import Work
    from pruning.planning.plan import Plan
    from pruning.subject import Subject

TIME, NOISY = "time.json", "noisy.json"
SECONDS = 1.2
"""For the whole comparison: one burst of quiet."""
TRIES = 2
"""How often what was too noisy is timed, while somebody waits."""
NOISY_FOR = timedelta(minutes=1)
"""That a time which was too noisy is left at that, unless somebody asks again."""
MOST_OPENED = 4
"""Networks that a process keeps, those asked for last."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is to be timed against the dense network."""

    ref: str
    """Reference of the network."""
    identity: str
    """As `Subject.identity` has it."""
    granularity: Granularity
    counts: tuple[tuple[str, int], ...]
    """Of each channel group the units that stay, or of each weight tensor the weights that are not zero."""
    batch: int
    threads: int

    @staticmethod
    def of(subject: Subject, plan: Plan, batch: int) -> Question:
        """About a plan for a network."""
        return Question(
            ref=subject.ref,
            identity=subject.identity,
            granularity=plan.granularity,
            counts=tuple(sorted(plan.counts.items())),
            batch=batch,
            threads=timing_threads(),
        )

    @property
    def key(self) -> str:
        """Same key, same time: the network, what stays of it, the batch size, the threads, torch and the processor."""
        parts = [self.identity, self.granularity, self.counts, self.batch, self.threads, torch.__version__, processor()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]

    @property
    def job(self) -> Job:
        """The job that answers it."""
        return Job.in_folder(cache_dir() / "latency" / "cuts" / self.key)

    def to_json(self) -> str:
        """For the command that answers it."""
        return json.dumps({**vars(self), "counts": dict(self.counts)})

    @staticmethod
    def from_json(text: str) -> Question:
        """The inverse of `to_json`. Raises InputError where it is none."""
        try:
            fields = Fields(load_object(text.encode(), "the question"), "the question")
            counts = fields.part("counts")
            return Question(
                ref=fields.text("ref"),
                identity=fields.text("identity"),
                granularity=fields.choice("granularity", GRANULARITIES),  # type: ignore[arg-type]
                counts=tuple((name, counts.whole(name, 0)) for name in counts.names()),
                batch=fields.whole("batch", 1, 1_000_000),
                threads=fields.whole("threads", 1, 1024),
            )
        except StorageError as error:
            raise InputError(f"{error} It is what the app hands to this command.") from error


def start(question: Question, visitor: str = OWNER) -> None:
    """Have a question answered when the machine is quiet, unless that is under way.

    Raises:
        InputError: too many jobs wait.
        StorageError: the job cannot be written, or no process can be started.
    """
    arguments = ["clock", "--", question.to_json()]
    LocalExecutor().submit(arguments, question.job, kind="time", visitor=visitor, lane=PROMPT)


def recorded(question: Question, now: datetime | None = None) -> Comparison | None:
    """The answer, where it was measured in quiet, or a moment ago and not in quiet; None where it is to be measured."""
    found = _read(question, TIME)
    if found is not None and found.quiet:
        return found
    found = _read(question, NOISY)
    if found is None or found.at is None or abs((now or datetime.now(UTC)) - found.at) >= NOISY_FOR:
        return None
    return found


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a question stands."""

    time: Comparison | None
    """As `recorded`."""
    is_coming: bool
    """Whether it is being answered, or waits for that."""
    refusal: str | None
    """Why there is no answer, in a sentence, where measuring it failed."""


def standing(question: Question) -> Standing:
    """How a question stands."""
    now = question.job.status()
    failed = now is not None and now.state == "failed"  # looked up before the time that a job leaves
    return Standing(
        time=recorded(question),
        is_coming=now is not None and now.is_working,
        refusal=now.text if failed and now is not None else None,
    )


def _read(question: Question, name: str) -> Comparison | None:
    try:
        content = question.job.read(name)
        return None if content is None else comparison_of(Fields(load_object(content, name), name))
    except StorageError:  # damaged: measuring again writes it anew
        return None


def answer(
    question: Question,
    *,
    cancel: Cancel | None = None,
    work: Work | None = None,
    say: Callable[[str], None] = lambda text: None,
    seconds: float = SECONDS,
) -> Comparison:
    """Measure, in this process, and leave the answer with the question's job. `work`: of the attempt that this process
    was started for.

    Raises:
        InputError: the network is another one by now, or cannot be opened or traced; or another process is on it.
        StorageError: the answer cannot be written.
        Cancelled: `cancel()` became true.
    """
    with question.job.working(work) as work:
        stop = work.cancel_or(cancel)

        def tell(text: str) -> None:
            work.say(text)
            say(text)

        subject = _opened(question)
        small = _cut(subject, question)
        with quietly("time", cancel=stop, waiting=tell, lane=PROMPT) as quiet:
            tell("Timing dense and pruned in turn")
            for _ in range(TRIES):
                found = compare_latency(
                    subject.model,
                    small,
                    subject.graph.example_shape,
                    question.batch,
                    seconds=seconds,
                    threads=question.threads,
                    rest=quiet.rest,
                    cancel=stop,
                )
                if found.quiet:
                    break
        work.supersedes = found.quiet  # else what was measured in quiet before stays
        work.publish(TIME if found.quiet else NOISY, dump(comparison_values(found)))
    return found


def _cut(subject: Subject, question: Question) -> torch.nn.Module:
    """The network with as many units, or weights that are not zero, as the question says."""
    from pruning.planning.plan import keeping_units
    from pruning.removal.apply import removed_model

    counts = dict(question.counts)
    if GRANULARITIES[question.granularity].shrinks:
        _check(counts, {group.name: group.units for group in subject.graph.groups})
        kept = {name: tuple(range(count)) for name, count in counts.items()}
        return removed_model(subject.model, subject.graph, keeping_units(kept))
    return _with_zeros(subject.model, counts)


@torch.no_grad()
def _with_zeros(model: torch.nn.Module, counts: Mapping[str, int]) -> torch.nn.Module:
    from pruning.base.clone import clone

    made = clone(model)
    tensors = dict(made.named_parameters())
    _check(counts, {name: tensor.numel() for name, tensor in tensors.items()}, least=0)
    for name, count in counts.items():
        tensor = tensors[name]
        gone = tensor.numel() - count
        if gone:
            smallest = tensor.abs().flatten().argsort()[:gone]
            tensor.view(-1)[smallest] = 0.0
    return made


def _check(counts: Mapping[str, int], there: Mapping[str, int], least: int = 1) -> None:
    for name, count in counts.items():
        if not least <= count <= there.get(name, -1):
            raise InputError(f"The network has no {count} of '{name[:80]}': start it again.")


def _opened(question: Question) -> Subject:
    """The network, kept for the next question about it."""
    from pruning.catalog.openers import open_network
    from pruning.subject import Subject

    key = question.ref, question.identity
    with _LOCK:
        found = _OPENED.pop(key, None) or Subject.of(open_network(question.ref))
        if found.identity != question.identity:
            raise InputError("The network has changed since its time was asked for: open it again.")
        _OPENED[key] = found
        while len(_OPENED) > MOST_OPENED:
            _OPENED.popitem(last=False)
    return found


_OPENED: OrderedDict[tuple[str, str], Any] = OrderedDict()
_LOCK = threading.Lock()
