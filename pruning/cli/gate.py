"""The gate on the command line: what the unpruned network makes of one's own images, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pruning.base.errors import InputError, RequirementError
from pruning.catalog.network import Network
from pruning.cli.output import say, signed
from pruning.cli.requirements import Requirement
from pruning.gate import Look, Trial, explaining, look, try_others
from pruning.runs.held import changed
from pruning.runs.looks import looks_words, note_look
from pruning.subject import Subject

SHOWN = 3
"""Other ways that are told."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Passed:
    """What was seen at the gate."""

    look: Look
    values: dict[str, Any]
    """As JSON."""


def say_remarks(subject: Subject) -> None:
    """Say where the weights are from, and what was guessed, left out or noticed, where images are one's own; of a run
    what of its files has changed since."""
    if subject.preprocess is None:
        say_changes(subject.network)
    else:
        if not subject.network.root:
            say(f"Weights: {subject.network.weights}.")
        for remark in subject.remarks:
            say(f"Note: {remark}")


def say_changes(network: Network) -> None:
    """Say what of the files of a run's network and images has changed since the run was made."""
    for remark in network.remarks if network.root else ():
        say(f"Note: {remark}")


def say_changes_of(folder: Path) -> None:
    """The same of the run in a folder, whatever is opened of it."""
    for remark in changed(folder):
        say(f"Note: {remark}")


def pass_gate(
    subject: Subject,
    expected: Sequence[Requirement],
    *,
    cancel: Callable[[], bool],
) -> Passed | None:
    """Look at select images with the unpruned network, and say what came of it. None for published images of which
    nothing is expected.

    Raises:
        RequirementError: it is not what is expected.
        PruningError: it cannot be measured; or cancelled.
    """
    if subject.preprocess is None and not expected:
        return None
    first = look(subject, cancel=cancel)
    trials = try_others(subject, first, cancel=cancel) if first.doubt else ()
    if subject.preprocess is not None:
        say(f"{first.words} {first.doubt or '' if first.trivial or first.doubt else 'As expected?'}".rstrip())
        for line in trial_lines(first, trials, first.answers.metric.guess(subject.info)):
            say(line)
    unmet = [wanted.text for wanted in expected if not _meets(first, wanted)]
    if unmet:
        raise RequirementError(f"It is not as expected ({'; '.join(unmet)}), so nothing else was done. {first.words}")
    return Passed(look=first, values=gate_values(first, trials))


def trial_lines(first: Look, trials: Sequence[Trial], guess: float = 0.0) -> list[str]:
    """What other ways would give, where any is better and more than luck (`guess`); and that none is, where all were
    tried."""
    metric, better = first.answers.metric, explaining(trials, guess)
    if not better:
        return ["None of the usual other crops, normalisations, channel or class orders explains it."] if trials else []
    return [
        f"With {trial.words}: {metric.words(trial.value)} of the same {trial.images:,} images "
        f"({signed(metric, trial.difference.value, 1)} {metric.unit_of_change}).{_how(trial)}"
        for trial in better[:SHOWN]
    ]


def gate_values(first: Look, trials: Sequence[Trial]) -> dict[str, Any]:
    """The first look as JSON."""
    metric = first.answers.metric
    return {
        "metric": metric.name,
        metric.name: first.value,
        f"{metric.name}_interval": list(first.interval),
        "images": first.answers.images,
        "doubt": first.doubt,
        "preprocess": None if first.preprocess is None else first.preprocess.to_values(),
        "remarks": list(first.remarks),
        "examples": [vars(example) for example in first.examples],
        "trials": [
            {
                "words": trial.words,
                metric.name: trial.value,
                "difference": trial.difference.value,
                "interval": list(trial.difference.interval),
                "images": trial.images,
                **({} if trial.order is None else {"class_order": trial.order}),
                **({} if trial.preprocess is None else {"preprocess": trial.preprocess.to_values()}),
            }
            for trial in trials
        ],
    }


def note_test_look(subject: Subject, role: str, dense_digest: Callable[[], str]) -> int | None:
    """Count a look at test images of one's own, and how many there were; None where that is not counted."""
    if role != "test" or subject.preprocess is None:
        return None
    looks = note_look(dense_digest(), subject.data.digest, "evaluate")
    if looks is not None:
        say(f"Note: {looks_words(looks)}.")
    return looks


def _meets(first: Look, wanted: Requirement) -> bool:
    value = first.figure(wanted.path)
    if value is None:
        known = [first.answers.metric.name, *first.answers.further]
        raise InputError(f"--expect names '{wanted.path}', which is not measured here: there is {', '.join(known)}.")
    return wanted.is_met_by(value)


def _how(trial: Trial) -> str:
    way = trial.preprocess
    if way is None:
        return f" To use it, if that is the order in which it learnt them: --class-order {trial.order}."
    mean, std = (",".join(f"{number:.6g}" for number in numbers) for numbers in (way.mean, way.std))
    crop = "--crop squash" if way.resize is None else f"--resize {way.resize}"
    return f" To use it: --colour {way.colour} --mean {mean} --std {std} {crop}."
