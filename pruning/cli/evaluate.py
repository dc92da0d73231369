"""`evaluate`: how well a network answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pruning.base.errors import InputError
from pruning.catalog.openers import OPENERS, check_reference
from pruning.cli.gate import note_test_look, pass_gate, say_remarks
from pruning.cli.images import Asked, open_asked
from pruning.cli.output import exactly, field, only_ours, span
from pruning.cli.requirements import Requirement
from pruning.data.info import Role
from pruning.runs.pipeline import dense_of
from pruning.subject import Subject
from pruning.tasks.metric import Metric, Summary
from pruning.tasks.table import find_metric
from pruning.training.answers import Answers, answer_side_by_side


def evaluate(
    ref: str,
    asked: Asked,
    *,
    role: Role,
    expected: Sequence[Requirement] = (),
    cancel: Callable[[], bool],
) -> tuple[dict[str, Any], list[str]]:
    """The metric with its interval, as JSON and as lines. `asked`: which images; without any the model's own.

    Raises:
        PruningError: no such model or data set, they do not fit, the images are absent; or cancelled.
    """
    with only_ours():
        subject = open_with_images(ref, asked)
        say_remarks(subject)
        gate = pass_gate(subject, expected, cancel=cancel)
        seen = None if gate is None or role != "select" or subject.network.root else gate.look.answers
        whole = seen is not None and seen.images == subject.data.length(role)
        measured = seen if seen is not None and whole else _measured(subject, role, cancel)
        looks = note_test_look(subject, role, lambda: dense_of(subject).digest)
    metric = measured.metric
    beside = [(find_metric(name), summary) for name, summary in measured.further.items()]
    result = {
        "schema_version": 1,
        "model": ref,
        "data": subject.info.name,
        "role": measured.role,
        "metric": metric.name,
        metric.name: measured.value,
        f"{metric.name}_interval": list(measured.interval),
        **{name: value for found, summary in beside for name, value in _values(found, summary).items()},
        "correct": measured.correct,
        "images": measured.images,
        "loss": measured.loss,
        **({} if gate is None else {"gate": gate.values}),
        **({} if looks is None else {"test_looks": looks}),
    }
    said = metric.title if metric.name != "accuracy" else ""
    line = (
        f"{subject.title}: {said + ' ' if said else ''}{exactly(metric, measured.value)} "
        f"({span(metric, measured.interval)}) of {measured.images:,} {measured.role} images of {subject.info.name}, "
        "measured"
    )
    lines = [line]
    if subject.preprocess is not None:
        for found, summary in beside:
            if found.bounds[1] <= found.guess(subject.info):
                continue  # five guesses among four classes are always right
            words = f"{exactly(found, summary.value)} ({span(found, summary.interval)})"
            lines += field(found.name.replace("_", " "), words, 20)
    return result, lines


def _measured(subject: Subject, role: Role, cancel: Callable[[], bool]) -> Answers:
    """What a network answers, held against the unpruned one where it was pruned from one."""
    models = {"it": subject.model}
    if subject.network.root and subject.preprocess is not None and subject.task.against_dense:
        models["dense"] = dense_of(subject).model
    dense = "dense" if "dense" in models else None
    return answer_side_by_side(models, subject.data, role, dense=dense, cancel=cancel)["it"]


def _values(metric: Metric, found: Summary) -> dict[str, Any]:
    return {metric.name: found.value, f"{metric.name}_interval": list(found.interval)}


def open_with_images(ref: str, asked: Asked) -> Subject:
    """Open a network with images; refuse before anything long where there can be none.

    Raises:
        InputError: no such network or data set, they do not fit each other, or none is named for a network that brings
            none along.
        StorageError, DataError: files are absent or damaged.
    """
    check_has_images(ref, asked.data)
    subject = open_asked(ref, asked)
    lack = subject.why_not("measure")
    if subject.images is not None and (lack is None or lack.part == "images"):
        subject.images.open()  # absent images are said with the way to get them
    subject.check("measure")
    return subject


def check_has_images(ref: str, data: str | None) -> None:
    """Raises InputError where no data set is named, and networks of this kind know none of their own."""
    if data is None and not OPENERS[check_reference(ref).kind].brings_data:
        own = " or ".join(opener.form for opener in OPENERS.values() if opener.brings_data)
        raise InputError(
            f"'{ref}' comes without images to measure it on: name a data set with --data, or take {own}; inspect and "
            "verify take this one."
        )
