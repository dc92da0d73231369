"""`contest`: prune at once against in rounds, with equal steps and several seeds each, and who won, if anybody did."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import torch

from pruning.base.errors import InputError
from pruning.cli.evaluate import open_with_images
from pruning.cli.gate import pass_gate, say_remarks
from pruning.cli.images import Asked
from pruning.cli.output import field, only_ours, say, signed
from pruning.cli.requirements import Requirement
from pruning.cli.training import chosen_training
from pruning.contest import SCHEDULES, Race, Terms, Verdict, judge
from pruning.contest.cache import hold, to_json
from pruning.runs.pipeline import check_subject
from pruning.runs.suitable import suitable_training, suited
from pruning.spec import PruneSpec
from pruning.subject import Subject
from pruning.tasks.metric import Metric

REPORTS = 10
"""How often progress is said."""
TITLES = {"oneshot": "at once", "iterative": "in rounds"}
AGAINST = {
    "bands": "the seeds of both sides meet",
    "seeds": "the interval over the seeds holds zero",
    "images": "the interval over the images holds zero",
}


def contest(
    args: argparse.Namespace,
    spec: PruneSpec,
    asked: Asked,
    cancel: Callable[[], bool],
    *,
    expected: Sequence[Requirement] = (),
) -> tuple[dict[str, Any], list[str]]:
    """Run the race: as JSON, and as lines. `spec`: what of the options says what goes; `expected` of the unpruned
    network, before anything is pruned.

    Raises:
        PruningError: an option is not allowed, the images are absent, the cache cannot be written; or cancelled.
    """
    with only_ours():
        subject = open_with_images(args.model, asked)
        subject.check("run")
        terms = Terms(
            model=args.model,
            data=subject.info.name,
            preprocess=subject.preprocess,
            labelled=subject.task.needs_labels,
            prune=spec,
            rounds=args.rounds,
            steps=args.steps,
            seeds=_seeds(args.seeds),
            **_training(args, subject),
        )
        check_subject(terms.recipe("iterative", terms.seeds[0]), subject)
        if args.work is None:
            say_remarks(subject)
            pass_gate(subject, expected, cancel=cancel)
    torch.set_num_threads(1)  # networks that learn so quickly gain nothing from more, and the pages need the rest
    found = hold(terms, subject, progress=_Progress(), cancel=cancel, work=args.work)
    verdict = judge([found])
    return {"model": args.model, **to_json(found), "verdict": asdict(verdict)}, _lines(found, verdict)


def _training(args: argparse.Namespace, subject: Subject) -> dict[str, Any]:
    """How both sides are fine-tuned: as the options say; else published images as races always were, and one's own as
    suits them."""
    usual = {} if subject.preprocess is None else suitable_training(subject.model, subject.info)
    return suited(usual, chosen_training(args))


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--seeds takes whole numbers with commas, such as 0,1,2, not '{text}'.") from None


class _Progress:
    """Says what goes on, and how far the race is, now and then."""

    def __init__(self) -> None:
        self._said = 0

    def __call__(self, found: Race, text: str) -> None:
        part = int(found.share * REPORTS)
        if text:
            say(text)
        elif part > self._said:
            say(f"{found.share:.0%}")
            self._said = part


def _lines(found: Race, verdict: Verdict) -> list[str]:
    terms, spec, metric = found.terms, found.terms.prune, found.terms.metric
    lines = [
        f"{terms.model}: {spec.sparsity:.0%} of the {spec.info.title} {spec.info.done}, {terms.steps} steps each; the "
        f"iterative side in {terms.rounds} rounds. {metric.title.capitalize()} on select images, measured after "
        "fine-tuning",
        "",
    ]
    for schedule in SCHEDULES:
        ends = [lane.finish.value for lane in found.of(schedule) if lane.finish is not None]
        lines += field(TITLES[schedule], ", ".join(metric.words(value) for value in ends))
    lines += field(
        "difference",
        f"{signed(metric, verdict.mean, 1)} {metric.unit_of_change} in rounds; 95 % over {verdict.seeds} seeds: "
        f"{_to(metric, verdict.over_seeds)}, over the images: {_to(metric, verdict.over_images)}",
    )
    said = f"ahead: {TITLES[verdict.winner]}" if verdict.winner else f"none named: {AGAINST[str(verdict.reason)]}"
    return [*lines, *field("winner", said)]


def _to(metric: Metric, ends: tuple[float, float]) -> str:
    return " to ".join(signed(metric, end, 1) for end in ends)
