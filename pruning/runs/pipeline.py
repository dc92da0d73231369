"""One run from recipe to numbers: prune, prove, repair, fine-tune, measure. The core under app, worker and CLI."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import nn

from pruning.base.cancel import Cancel
from pruning.base.errors import InputError
from pruning.catalog.openers import open_network
from pruning.cost.counts import model_cost
from pruning.criteria import find_criterion
from pruning.data.protocol import Data
from pruning.jobs.queue.turn import turn
from pruning.latency.clock import ENGINE
from pruning.latency.processor import processor
from pruning.planning.allocation import per_target
from pruning.planning.plan import Plan, make_plan
from pruning.removal.apply import inflate, pruned_model
from pruning.removal.build import build_graph
from pruning.removal.shrinkage import shrinkage
from pruning.removal.verify import Check, carry_out, check_zeros
from pruning.repair.kinds import CHOOSES
from pruning.runs.checkpoint import Checkpoints, Standing
from pruning.runs.identity import recipe_digest
from pruning.runs.looks import note_look
from pruning.runs.opened import opened
from pruning.runs.recipe import Recipe
from pruning.runs.repairing import masks_of, won_back
from pruning.runs.result import (
    Change,
    DataUsed,
    FinishedRound,
    Measurement,
    Result,
    Side,
    WorstClass,
)
from pruning.runs.result_json import measurement_values
from pruning.runs.saved_model import Structure
from pruning.statistics.cache import statistics_for
from pruning.subject import Subject
from pruning.training.answers import Answers, answer, answer_side_by_side
from pruning.training.evaluate import evaluate
from pruning.training.finetune import TrainConfig, TrainEvent, seconds_per_step, train
from pruning.training.state import TrainState

EVALUATIONS, LOOKING = 10, 0.15
"""How often accuracy on select images is measured during fine-tuning at most, and for what part of training's work."""

Progress = Callable[[dict[str, Any]], None]
"""Gets one JSON-ready event at a time; `stage` says what is going on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A finished run: the pruned model and everything measured."""

    result: Result
    model: nn.Module
    structure: Structure
    """How the model differs from the network that it came from."""
    answers: dict[str, Answers]
    """Of the dense and the pruned network to the test images, from the one look at them."""
    stages: dict[str, Answers]
    """Of the dense network, and of the pruned one at each stage of the last round, to the select images; empty where
    the recipe asks for no more than statistics measured anew."""


def run(
    recipe: Recipe,
    *,
    data_dir: str | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    checkpoints: Checkpoints | None = None,
) -> Outcome:
    """Carry a recipe out. Images of the `test` role are looked at once, at the end. `checkpoints`: where it stands is
    kept there every few seconds, and it goes on from the last one.

    Raises:
        InputError, DataError: the recipe cannot be carried out.
        RemovalError: the smaller model did not equal the masked one.
        Cancelled: `cancel()` became true.
    """
    tell = progress or (lambda event: None)
    started = time.monotonic()
    tell({"stage": "open", "text": f"Opening {recipe.model} and {recipe.data}"})
    subject = check_recipe(recipe, data_dir)
    data = subject.data
    subject.check("run")
    with turn("run", cancel, lambda text: tell({"stage": "wait", "text": text})):
        if checkpoints is not None:
            checkpoints.of = _identity(recipe, subject)
        pruned = prune_in_rounds(recipe, subject, tell, cancel, checkpoints)
        words = f"Measuring {subject.task.metric.title} on test images, and sizes"
        tell({"stage": "measure", "text": words})
        dense = dense_of(subject)
        answers = answer_side_by_side(
            {"dense": dense.model, "pruned": pruned.model}, data, "test", dense="dense", cancel=cancel
        )
        before, stages = _dense_on_select(dense, data, pruned.answers, cancel)
        looks = None if subject.preprocess is None else note_look(dense.digest, data.digest, "a run")
        measured = measure(dense, pruned.model, answers)
    result = Result(
        recipe=recipe,
        model=recipe.model,
        model_digest=subject.digest,
        data=_data_used(subject),
        dense=measured.dense,
        pruned=measured.pruned,
        difference=measured.difference,
        worst_class=worst_class(answers["dense"], answers["pruned"], data.info.classes),
        looks=looks,
        stages=pruned.rounds[-1].stages,
        dense_select=before,
        rounds=pruned.rounds,
        layers=pruned.plan.layers,
        check=pruned.check,
        engine=ENGINE,
        cpu=processor(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        seconds=round(time.monotonic() - started, 2),
    )
    return Outcome(
        result=result,
        model=pruned.model,
        structure=_structure(subject, pruned.plan, recipe),
        answers=answers,
        stages=stages,
    )


def check_recipe(recipe: Recipe, data_dir: str | None = None) -> Subject:
    """What a recipe that can be carried out is about; no image is read.

    Raises:
        InputError: the network, a layer, or the pair of network and data set is not possible.
    """
    subject = opened(recipe.model, recipe.data, data_dir, recipe.preprocess)
    check_subject(recipe, subject)
    return subject


def check_subject(recipe: Recipe, subject: Subject) -> None:
    """Raises InputError where what a recipe asks for is not possible with its network and images, which are open."""
    if recipe.finetune_steps and not subject.info.labelled and distillation_of(recipe, subject) < 1:
        raise InputError(
            "These images have no labels, so fine-tuning can only learn from the unpruned network's answers: leave out "
            "distillation, or set it to 1."
        )
    per_target(subject.graph, recipe.prune)
    if "batch_norm" in find_criterion(recipe.prune.criterion).needs:
        make_plan(subject.model, subject.graph, recipe.prune)  # refuses here what has no batch norm to rank by


def dense_of(subject: Subject) -> Subject:
    """The dense network that a subject goes back to, with the same images: itself, where nothing was pruned.

    Raises:
        InputError, StorageError: that network cannot be opened any more.
    """
    if not subject.network.root:
        return subject
    return Subject.of(open_network(subject.network.root)).with_images(subject.images)


def steps_for_seconds(recipe: Recipe, seconds: float, data_dir: str | None = None) -> int:
    """How many optimiser steps fit into `seconds` on this machine, for the model this recipe leads to."""
    subject = check_recipe(recipe, data_dir)
    sizes_alone = recipe.prune.replace(criterion="l2")  # which units go makes no difference to the time
    model, _ = carry_out(subject.model, subject.graph, make_plan(subject.model, subject.graph, sizes_alone))
    return max(1, int(seconds / seconds_of_training(recipe, subject, model)))


def seconds_of_training(recipe: Recipe, subject: Subject, model: nn.Module) -> float:
    """Time of one training step of a model as a recipe says, the unpruned network's part in it included."""
    imitated = distillation_of(recipe, subject)
    config = replace(train_config(recipe, 1), distillation=imitated)
    return seconds_per_step(model, subject.data, config, teacher=subject.model if imitated else None)


def distillation_of(recipe: Recipe, subject: Subject) -> float:
    """Share of the loss that is the distance to the unpruned network's answers."""
    if recipe.distillation is not None:
        return recipe.distillation
    return 0.0 if subject.task.needs_labels else 1.0


def worst_class(dense: Answers, pruned: Answers, names: Sequence[str]) -> WorstClass | None:
    """The class of which the pruned network has the fewest right answers compared with dense; None where no class is
    chosen, or it is not known which is right."""
    if dense.choices is None or pruned.choices is None or dense.choices.labels is None:
        return None
    labels = dense.choices.labels
    counts = labels.bincount(minlength=len(names))
    before, after = (
        labels[choices.right].bincount(minlength=len(names)).double() for choices in (dense.choices, pruned.choices)
    )
    drops = torch.where(counts > 0, (before - after) / counts.clamp(min=1), -torch.inf)
    worst = int(drops.argmax())
    return WorstClass(name=names[worst], drop=float(drops[worst]), images=int(counts[worst]))


def train_config(recipe: Recipe, steps: int) -> TrainConfig:
    """How a recipe fine-tunes, for a number of steps."""
    return TrainConfig(
        steps=steps,
        batch_size=recipe.batch_size,
        optimiser=recipe.optimiser,
        batch_norm=recipe.batch_norm,
        lr=recipe.lr,
        augment=recipe.augment,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        shift=recipe.shift,
        precision=recipe.precision,
        seed=recipe.prune.seed,
    )


def _identity(recipe: Recipe, subject: Subject) -> str:
    """Names what a checkpoint is about: one of other weights, images or settings is none."""
    return recipe_digest(recipe, weights=subject.digest, data=subject.data.digest, batch_norm=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pruned:
    """What the rounds of a schedule lead to."""

    model: nn.Module
    plan: Plan
    check: Check
    rounds: tuple[FinishedRound, ...]
    """Each with its accuracies on select images."""
    answers: dict[str, Answers]
    """To the select images at each stage of the last round; empty where they are not kept."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Dense and pruned side by side."""

    dense: Side
    pruned: Side
    difference: Change


def prune_in_rounds(
    recipe: Recipe,
    subject: Subject,
    tell: Progress,
    cancel: Cancel | None,
    checkpoints: Checkpoints | None = None,
) -> Pruned:
    """Cut, prove, repair and fine-tune as often as the schedule says; the subject is not changed."""
    current, plan, data = subject.model, None, subject.data
    metric = subject.task.metric.name
    schedule = recipe.rounds()
    total_steps = sum(part.steps for part in schedule)
    done_steps = 0
    report: list[FinishedRound] = []
    kept = None
    if checkpoints is not None:
        kept = checkpoints.take_up(lambda plan: pruned_model(subject.model, subject.graph, plan))
    resume = None if kept is None else kept[0]
    imitated = distillation_of(recipe, subject)
    teacher = dense_of(subject).model if imitated and total_steps else None

    answers: dict[str, Answers] = {}

    def look(number: int, stage: str, model: nn.Module) -> Measurement:
        if recipe.repair in CHOOSES:
            answers[stage] = answer(model, data, "select", cancel=cancel)
            found = Measurement.of(answers[stage])
        else:
            found = Measurement.of(evaluate(model, data, "select", cancel=cancel))
        tell({"stage": stage, "round": number, **measurement_values(found)})
        return found

    def say(number: int, text: str) -> None:
        tell({"stage": "repair", "round": number, "text": text})

    if kept is not None and resume is not None:
        report, done_steps = list(resume.finished), sum(part.steps for part in schedule[: resume.round - 1])
        current, plan, check = kept[1], resume.plan, resume.check
    for number, part in enumerate(schedule, 1):
        if resume is not None and number < resume.round:
            continue
        if resume is not None and number == resume.round:
            stages, held, training, answers = resume.stages, resume.held, resume.training, dict(resume.answers)
            tell({"stage": "resume", "round": number, "text": "Going on from where it was"})
        else:
            tell({"stage": "prune", "round": number, "rounds": len(schedule), "text": "Removing and proving"})
            if plan is not None and plan.kept:
                current = inflate(subject.model, current, shrinkage(subject.graph, plan))
            before = current
            statistics = statistics_for(current, subject.graph, data, part.spec, dense=subject.model, cancel=cancel)
            plan = make_plan(current, subject.graph, part.spec, statistics, after=plan)
            current, check = carry_out(current, subject.graph, plan)
            held, training, answers = masks_of(subject, current, plan), None, {}
            current, check, stages = won_back(
                recipe, subject, before, current, plan, held, check,
                first=number == 1,
                look=partial(look, number),
                begin=partial(say, number),
                cancel=cancel,
            )  # fmt: skip
        if part.steps:
            assert plan is not None, "made above, or kept"
            where = Standing(
                round=number, plan=plan, check=check, finished=tuple(report), stages=stages, training=None,
                held=held, answers=answers,
            )  # fmt: skip
            model = current

            def keep(
                state: Callable[[], TrainState], at_once: bool, where: Standing = where, model: nn.Module = model
            ) -> None:
                if checkpoints is not None and (at_once or checkpoints.is_due):
                    checkpoints.keep(replace(where, training=state()), model)

            offset = done_steps

            def report_step(event: TrainEvent, offset: int = offset, number: int = number) -> None:
                values = {"loss": event.loss, "lr": event.lr, "seconds": event.seconds, "metric": metric}
                values |= {metric: event.value, f"{metric}_interval": event.interval}
                tell(
                    {"stage": "finetune", "round": number, "step": offset + event.step, "steps": total_steps, **values}
                )

            train(
                current,
                data,
                replace(
                    train_config(recipe, part.steps),
                    seed=recipe.prune.seed + 1000 * (number - 1),
                    distillation=imitated,
                ),
                masks=held,
                teacher=teacher,
                evaluations=max(1, round(_evaluations(recipe, data, total_steps) * part.steps / total_steps)),
                progress=report_step,
                cancel=cancel,
                resume=training,
                keep=keep,
            )
            done_steps += part.steps
            stages = replace(stages, finetuned=look(number, "finetuned", current))
        report.append(FinishedRound(number=number, sparsity=part.spec.sparsity, steps=part.steps, stages=stages))
    assert plan is not None, "a schedule has at least one round"
    if plan.masks:
        check = check_zeros(current, plan)
    return Pruned(model=current, plan=plan, check=check, rounds=tuple(report), answers=answers)


def _dense_on_select(
    dense: Subject, data: Data, kept: Mapping[str, Answers], cancel: Cancel | None
) -> tuple[Measurement, dict[str, Answers]]:
    """The dense network on select images, and its answers in front of those that were kept, if any were."""
    if not kept:
        return Measurement.of(evaluate(dense.model, data, "select", cancel=cancel)), {}
    answers = answer(dense.model, data, "select", cancel=cancel)
    return Measurement.of(answers), {"dense": answers, **kept}


def measure(dense: Subject, pruned: nn.Module, answers: Mapping[str, Answers]) -> Measured:
    """Dense and pruned side by side: accuracy on test images, costs, and the differences. Times are a job of their own
    (`pruning.runs.times`)."""
    before, after = answers["dense"], answers["pruned"]
    small_graph = build_graph(pruned, dense.graph.example_shape)
    return Measured(
        dense=Side(
            **vars(model_cost(dense.model, dense.graph)),
            test=Measurement.of(before),
            further=_further(before),
        ),
        pruned=Side(
            **vars(model_cost(pruned, small_graph)),
            test=Measurement.of(after),
            further=_further(after),
        ),
        difference=Change.of(after.minus(before), after.metric.name),
    )


def _further(found: Answers) -> tuple[Measurement, ...]:
    return tuple(Measurement.beside(name, summary, found) for name, summary in found.further.items())


def _data_used(subject: Subject) -> DataUsed:
    """What images a run looked at; of one's own also what a reader elsewhere cannot know."""
    info, data = subject.info, subject.data
    used = DataUsed(name=info.name, sha256=data.digest, source=data.source)
    if info.preprocess is None:
        return used
    return replace(
        used,
        title=info.title,
        things=info.things,
        classes=len(info.classes),
        sizes={role: count for role, count in info.sizes.items()},
        remarks=info.remarks,
    )


def _evaluations(recipe: Recipe, data: Data, steps: int) -> int:
    """Over a whole run; a step of training costs about three times as much for each image as looking at it."""
    return min(EVALUATIONS, int(LOOKING * 3 * steps * recipe.batch_size / data.length("select")))


def _structure(subject: Subject, plan: Plan, recipe: Recipe) -> Structure:
    """What is to be written down of the model that a plan leads to."""
    network = subject.network
    return Structure(
        root=network.origin,
        data=tuple(dict.fromkeys((recipe.data, *network.data))),
        untrained=network.untrained and not recipe.finetune_steps,
        preprocess=subject.preprocess or network.preprocess,
        classes=_class_names(subject),
        shape=tuple(subject.graph.example_shape) if network.any_size else (),
        shrinkage=network.structure.then(shrinkage(subject.graph, plan)),
        held_zero=tuple(sorted({*network.held_zero, *plan.masks})),
    )


def _class_names(subject: Subject) -> tuple[tuple[str, ...], ...]:
    """Of each output the names of its class, where one's own images gave them and the network had none."""
    info = subject.info
    if subject.network.classes or info.preprocess is None or not info.labelled:
        return subject.network.classes
    return tuple((name,) for name in info.classes)
