"""One run from recipe to numbers: prune, prove, recalibrate, fine-tune, measure. The core under app, worker and CLI."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.errors import InputError
from pruning.cost.counts import model_cost
from pruning.criteria import find_criterion
from pruning.data.datasets import Dataset, load_dataset
from pruning.latency.clock import ENGINE, compare_latency, quiet_machine
from pruning.latency.processor import processor
from pruning.opening.models import OpenModel, open_model
from pruning.planning.allocation import per_target
from pruning.planning.plan import Plan, make_plan
from pruning.removal.apply import inflate
from pruning.removal.build import build_graph
from pruning.removal.shrinkage import Shrinkage, shrinkage
from pruning.removal.verify import Check, carry_out, check_zeros
from pruning.repair.recalibrate import has_batch_norm, recalibrate
from pruning.runs.recipe import Recipe
from pruning.runs.result import Change, DataUsed, FinishedRound, Measurement, Result, Side, Speedup, Stages
from pruning.runs.result_json import measurement_values
from pruning.statistics.cache import statistics_for
from pruning.training.answers import Answers, answer
from pruning.training.evaluate import evaluate, paired_difference
from pruning.training.finetune import TrainConfig, TrainEvent, seconds_per_step, train

BATCHES = (1, 32)
"""Batch sizes at which latency is measured."""
EVALUATIONS, LOOKING = 10, 0.25
"""How often accuracy on select images is measured during fine-tuning at most, and for what part of training's work."""

Progress = Callable[[dict[str, Any]], None]
"""Gets one JSON-ready event at a time; `stage` says what is going on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A finished run: the pruned model and everything measured."""

    result: Result
    model: nn.Module
    source: OpenModel
    structure: Shrinkage
    """How the model is smaller than its sample network."""
    held_zero: list[str]
    answers: dict[str, Answers]
    """Of the dense and the pruned network to the test images, from the one look at them."""


def run(
    recipe: Recipe,
    *,
    data_dir: str | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Outcome:
    """Carry a recipe out. Images of the `test` role are looked at once, at the end.

    Raises:
        InputError, DataError: the recipe cannot be carried out.
        RemovalError: the smaller model did not equal the masked one.
        Cancelled: `cancel()` became true.
    """
    tell = progress or (lambda event: None)
    started = time.monotonic()
    tell({"stage": "open", "text": f"Opening {recipe.model} and {recipe.data}"})
    source = check_recipe(recipe)
    data = load_dataset(recipe.data, data_dir)
    with quiet_machine(cancel, lambda: tell({"stage": "wait", "text": "Waiting for another run on this machine"})):
        pruned = prune_in_rounds(recipe, source, data, tell, cancel)
        tell({"stage": "measure", "text": "Measuring accuracy on test images, sizes and time"})
        assert source.sample is not None, "check_recipe saw to it"
        dense = source if recipe.model.startswith("sample:") else open_model(f"sample:{source.sample.name}")
        answers = {
            "dense": answer(dense.model, data, "test", cancel=cancel),
            "pruned": answer(pruned.model, data, "test", cancel=cancel),
        }
        measured = measure(dense, pruned.model, answers, cancel)
    result = Result(
        recipe=recipe,
        model=recipe.model,
        model_digest=source.digest,
        data=DataUsed(name=data.info.name, sha256=data.digest, source=data.source),
        dense=measured.dense,
        pruned=measured.pruned,
        speedups=measured.speedups,
        difference=measured.difference,
        stages=pruned.rounds[-1].stages,
        rounds=pruned.rounds,
        layers=pruned.plan.layers,
        check=pruned.check,
        engine=ENGINE,
        cpu=processor(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        seconds=round(time.monotonic() - started, 2),
    )
    structure = source.structure.then(shrinkage(source.graph, pruned.plan))
    held = sorted({*source.held_zero, *pruned.plan.masks})
    return Outcome(
        result=result, model=pruned.model, source=source, structure=structure, held_zero=held, answers=answers
    )


def check_recipe(recipe: Recipe) -> OpenModel:
    """The opened model of a recipe that can be carried out; needs no images.

    Raises:
        InputError: the model, a layer, or the pair of model and data set is not possible.
    """
    source = open_model(recipe.model)
    per_target(source.graph, recipe.prune)
    if "batch_norm" in find_criterion(recipe.prune.criterion).needs:
        make_plan(source.model, source.graph, recipe.prune)  # refuses here what has no batch norm to rank by
    _check_pair(source, recipe.data)
    return source


def check_fits(source: OpenModel, data: Dataset) -> None:
    """Raises InputError where a model cannot look at the images of a data set."""
    _check_pair(source, data.info.name)


def _check_pair(source: OpenModel, data: str) -> None:
    if not source.data:
        raise InputError(
            f"{source.title} comes without images to measure it on: a run needs a sample network, or a run's model."
        )
    if data not in source.data:
        raise InputError(
            f"{source.title} cannot be used with {data}: its images or classes are other ones. "
            f"Use {' or '.join(source.data)}."
        )


def steps_for_seconds(recipe: Recipe, seconds: float, data_dir: str | None = None) -> int:
    """How many optimiser steps fit into `seconds` on this machine, for the model this recipe leads to."""
    source = check_recipe(recipe)
    data = load_dataset(recipe.data, data_dir)
    sizes_alone = recipe.prune.replace(criterion="l2")  # which units go makes no difference to the time
    model, _ = carry_out(source.model, source.graph, make_plan(source.model, source.graph, sizes_alone))
    return max(1, int(seconds / seconds_per_step(model, data, train_config(recipe, 1))))


def train_config(recipe: Recipe, steps: int) -> TrainConfig:
    """How a recipe fine-tunes, for a number of steps."""
    return TrainConfig(
        steps=steps,
        batch_size=recipe.batch_size,
        lr=recipe.lr,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        shift=recipe.shift,
        precision=recipe.precision,
        seed=recipe.prune.seed,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Pruned:
    """What the rounds of a schedule lead to."""

    model: nn.Module
    plan: Plan
    check: Check
    rounds: tuple[FinishedRound, ...]
    """Each with its accuracies on select images."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Dense and pruned side by side."""

    dense: Side
    pruned: Side
    speedups: tuple[Speedup, ...]
    difference: Change


def prune_in_rounds(recipe: Recipe, source: OpenModel, data: Dataset, tell: Progress, cancel: Cancel | None) -> Pruned:
    """Cut, prove, recalibrate and fine-tune as often as the schedule says; the opened model is not changed."""
    current, plan = source.model, None
    schedule = recipe.rounds()
    total_steps = sum(part.steps for part in schedule)
    done_steps = 0
    report: list[FinishedRound] = []

    def look(stage: str, number: int, model: nn.Module) -> Measurement:
        found = Measurement.of(evaluate(model, data, "select", cancel=cancel))
        tell({"stage": stage, "round": number, **measurement_values(found)})
        return found

    for number, part in enumerate(schedule, 1):
        tell({"stage": "prune", "round": number, "rounds": len(schedule), "text": "Removing and proving"})
        if plan is not None and plan.kept:
            current = inflate(source.model, current, shrinkage(source.graph, plan))
        statistics = statistics_for(current, source.graph, data, part.spec, dense=source.model, cancel=cancel)
        plan = make_plan(current, source.graph, part.spec, statistics, after=plan)
        current, check = carry_out(current, source.graph, plan)
        stages = {"as_cut": look("as_cut", number, current)}
        if has_batch_norm(current) and not (plan.removes_nothing and number == 1):
            recalibrate(current, data, seed=recipe.prune.seed)
            stages["recalibrated"] = look("recalibrated", number, current)
        if part.steps:
            offset = done_steps

            def report_step(event: TrainEvent, offset: int = offset, number: int = number) -> None:
                values = asdict(event)
                tell(
                    {"stage": "finetune", "round": number, **values, "step": offset + event.step, "steps": total_steps}
                )

            train(
                current,
                data,
                replace(train_config(recipe, part.steps), seed=recipe.prune.seed + 1000 * (number - 1)),
                masks=_masks(source, current, plan),
                evaluations=max(1, round(_evaluations(recipe, data, total_steps) * part.steps / total_steps)),
                progress=report_step,
                cancel=cancel,
            )
            done_steps += part.steps
            stages["finetuned"] = look("finetuned", number, current)
        report.append(
            FinishedRound(number=number, sparsity=part.spec.sparsity, steps=part.steps, stages=Stages(**stages))
        )
    assert plan is not None, "a schedule has at least one round"
    if plan.masks:
        check = check_zeros(current, plan)
    return Pruned(model=current, plan=plan, check=check, rounds=tuple(report))


def measure(dense: OpenModel, pruned: nn.Module, answers: Mapping[str, Answers], cancel: Cancel | None) -> Measured:
    """Dense and pruned side by side: accuracy on test images, costs, latency, and the differences."""
    before, after = answers["dense"].evaluation, answers["pruned"].evaluation
    timings = [
        compare_latency(dense.model, pruned, dense.graph.example_shape, batch, cancel=cancel) for batch in BATCHES
    ]
    small_graph = build_graph(pruned, dense.graph.example_shape)
    return Measured(
        dense=Side(
            **vars(model_cost(dense.model, dense.graph)),
            test=Measurement.of(before),
            latency={timing.batch: timing.dense for timing in timings},
        ),
        pruned=Side(
            **vars(model_cost(pruned, small_graph)),
            test=Measurement.of(after),
            latency={timing.batch: timing.pruned for timing in timings},
        ),
        speedups=tuple(
            Speedup(batch=timing.batch, low=timing.speedup[0], middle=timing.speedup[1], high=timing.speedup[2])
            for timing in timings
        ),
        difference=Change.of(paired_difference(before.right, after.right)),
    )


def _evaluations(recipe: Recipe, data: Dataset, steps: int) -> int:
    """Over a whole run; a step of training costs about three times as much for each image as looking at it."""
    return min(EVALUATIONS, int(LOOKING * 3 * steps * recipe.batch_size / len(data.labels["select"])))


def _masks(source: OpenModel, current: nn.Module, plan: Plan) -> dict[str, Tensor]:
    """What must stay zero in training: the plan's mask, and zeros that an earlier weight pruning made."""
    tensors = dict(current.named_parameters())
    held = {name: tensors[name].detach() != 0 for name in source.held_zero}
    return {name: plan.masks.get(name, True) & held.get(name, torch.tensor(True)) for name in {*plan.masks, *held}}
