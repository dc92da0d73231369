"""`prune`: a recipe from options, its run, and what came of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pruning.base.errors import InputError
from pruning.base.files import given_path
from pruning.catalog import openers
from pruning.cli.evaluate import check_has_images
from pruning.cli.gate import pass_gate, say_remarks
from pruning.cli.images import Asked, open_asked
from pruning.cli.output import change, exact_change, exactly, field, listed, only_ours, say, span
from pruning.cli.requirements import Requirement
from pruning.cli.spec import SPEC_FIELDS
from pruning.cli.training import TRAINING, chosen_training
from pruning.cost.ledger import remarks
from pruning.data import readers
from pruning.latency.noise import TOO_NOISY
from pruning.runs import create_run, execute
from pruning.runs.ledger import ledger_of_result
from pruning.runs.looks import looks_words
from pruning.runs.pipeline import check_subject, steps_for_seconds
from pruning.runs.quota import check_room
from pruning.runs.recipe import SCHEDULES, Recipe, Schedule
from pruning.runs.repair_words import repair_words
from pruning.runs.resolve import find_run_folder
from pruning.runs.result import Result
from pruning.runs.result_json import to_values
from pruning.runs.store import check_free
from pruning.runs.suitable import suitable_recipe
from pruning.runs.times import measure_times, with_times
from pruning.runs.words import STAGE_WORDS
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject
from pruning.tasks.names import known_metrics
from pruning.tasks.ranks import AMONG
from pruning.tasks.table import find_metric


def prune(
    args: argparse.Namespace,
    spec: PruneSpec,
    asked: Asked,
    cancel: Callable[[], bool],
    *,
    required: Sequence[Requirement] = (),
    expected: Sequence[Requirement] = (),
) -> tuple[dict[str, Any], list[str], list[str], list[str]]:
    """Carry a run out: its result as JSON and as lines, the requirements that it does not meet, and those of times
    that the machine was too noisy for.

    `asked`: which images. `required` of the result; `expected` of the unpruned network, before anything is pruned.

    The times come last, once the machine is quiet, unless `--no-times` leaves them out.

    Raises:
        PruningError: an option is not allowed, the images are absent, the run failed or was cancelled.
    """
    _check_times(args, required)
    if args.out is not None:
        check_free(args.out)
    with only_ours():
        recipe, told = recipe_of(args, spec, asked)
        subject = told or open_subject(recipe.model, recipe.data, args.data_dir, recipe.preprocess)
        check_subject(recipe, subject)
        subject.check("run")
        _check_measured(subject, required)
        if subject.preprocess is not None:
            subject.data  # noqa: B018 - whatever is wrong with the images is said before there is a folder
        say_remarks(subject)
        gate = pass_gate(subject, expected, cancel=cancel)
        check_room()
        folder = create_run(recipe, data_dir=_absolute(args.data_dir), path=args.out)
        say(f"Run folder: {folder}")
        result = execute(folder, progress=told_progress, cancel=cancel)
        if not args.no_times:
            measure_times(folder, say=say, cancel=cancel)
            result = with_times(result, folder)
    noisy = [wanted for wanted in required if wanted.batch in result.clock.noisy]
    values = {**to_values(result), "run": str(folder), **({} if gate is None else {"gate": gate.values})}
    unmet = [wanted.text for wanted in required if wanted not in noisy and not wanted.holds(values)]
    return values, summary(result, folder), unmet, [wanted.text for wanted in noisy]


def _check_times(args: argparse.Namespace, required: Sequence[Requirement]) -> None:
    """Raises InputError for a time that is required and left out."""
    named = [wanted.path for wanted in required if wanted.batch is not None]
    if args.no_times and named:
        raise InputError(f"--require names '{named[0]}', and --no-times leaves the times out: leave --no-times out.")


def resume(run: str, cancel: Callable[[], bool]) -> tuple[dict[str, Any], list[str]]:
    """Go on with a run that was stopped: its result as JSON and as lines.

    Raises:
        PruningError: there is no such run, it is done or being carried out, it failed, or was cancelled again.
    """
    folder = find_run_folder(run).resolve()
    with only_ours():
        result = execute(folder, progress=told_progress, cancel=cancel, again=True)
    return {**to_values(result), "run": str(folder)}, summary(result, folder)


def _check_measured(subject: Subject, required: Sequence[Requirement]) -> None:
    """Raises InputError for a metric that a run of this subject does not measure."""
    task = subject.task
    measured = [metric.name for metric in (task.metric, *task.further, *task.against_dense)]
    for wanted in required:
        for name in wanted.path.split("."):
            if name in known_metrics() and name not in measured:
                raise InputError(
                    f"--require names '{name}', which is not measured with these images: there is "
                    f"{', '.join(measured)}."
                )
        if "worst_class_drop" in wanted.path and (task.choices is None or not task.needs_labels):
            raise InputError("--require names 'worst_class_drop', but these images have no classes to lose anything.")


def recipe_of(args: argparse.Namespace, spec: PruneSpec, asked: Asked) -> tuple[Recipe, Subject | None]:
    """The recipe that the options describe, its fine-tuning in steps, and what it is about, opened as they say; None
    for a recipe from a file. `spec`: what they say of pruning.

    Raises:
        PruningError: an option is not allowed, or contradicts another.
    """
    if args.recipe is not None:
        others = ("schedule", "steps", "repair", "finetune_epochs", "finetune_seconds", *TRAINING, "data", "model")
        given = [name for name in (*SPEC_FIELDS, *others) if name != "seed" and getattr(args, name) is not None]
        given += [] if asked.preprocess is None else ["preprocess"]
        if given:
            raise InputError(
                f"--recipe already says everything: leave out {', '.join(given)}, or change the recipe's text."
            )
        recipe = Recipe.from_file(args.recipe)
        return (recipe if args.seed is None else recipe.replace(seed=args.seed)), None
    if args.model is None:
        raise InputError("Say which model to prune, such as sample:lenet5, or give --recipe FILE.")
    if args.finetune_epochs is not None and args.finetune_seconds is not None:
        raise InputError("Give --finetune-epochs or --finetune-seconds, not both.")
    check_has_images(args.model, asked.data)
    subject = open_asked(args.model, asked)
    for name in ("finetune_epochs", "finetune_seconds"):
        value = getattr(args, name)
        if value is not None and not 0 <= value < 1e6:
            raise InputError(f"--{name.replace('_', '-')} must be 0 or more, not {value:g}.")
    epochs = args.finetune_epochs or 0
    schedule: Schedule = args.schedule or "oneshot"
    chosen = chosen_training(args) | ({} if args.repair is None else {"repair": args.repair})
    recipe = suitable_recipe(
        subject, spec, epochs=epochs, schedule=schedule, rounds=_rounds(schedule, args.steps), **chosen
    )
    recipe = recipe.replace(model=openers.absolute(args.model), data=readers.absolute(recipe.data))
    if args.finetune_seconds:
        steps = steps_for_seconds(recipe, args.finetune_seconds, args.data_dir)
        say(f"{args.finetune_seconds:g} s of fine-tuning are {steps} steps on this machine")
        recipe = recipe.replace(finetune_steps=steps)
    return recipe, subject


def _rounds(schedule: str, steps: int | None) -> int:
    if schedule not in SCHEDULES:
        raise InputError(f"--schedule is one of {', '.join(SCHEDULES)}, not '{schedule}'.")
    if steps is not None and steps < 1:
        raise InputError(f"--steps is a number of rounds, at least 1, not {steps}.")
    if schedule == "oneshot" and steps not in (None, 1):
        raise InputError("--steps is the number of rounds of --schedule iterative; a oneshot schedule has one.")
    return 1 if schedule == "oneshot" else steps or 4


def _absolute(path: str | None) -> str | None:
    return None if path is None else str(given_path(path).resolve())


def told_progress(event: dict[str, Any]) -> None:
    stage, value = event["stage"], event.get(event.get("metric", ""))
    said = "" if value is None else exactly(find_metric(event["metric"]), value)
    if stage == "finetune":
        if said:
            say(
                f"fine-tuning {event['step']}/{event['steps']}: loss {event['loss']:.3f}, {said} on select images, "
                f"{event['seconds']:.0f} s"
            )
    elif said:
        stage = STAGE_WORDS.get(stage, stage)
        say(f"{stage}: {said} on select images")
    elif event.get("text") and stage not in ("failed", "cancelled"):  # those are said at the end
        say(event["text"])


def summary(result: Result, folder: Path) -> list[str]:
    dense, pruned = result.dense, result.pruned
    notes: dict[str, dict[str, None]] = {}
    for row in result.layers:
        if row.note:
            notes.setdefault(row.note, {})[row.name] = None
    times = [f"{speedup.words}, batch {speedup.batch}" for speedup in result.speedups]
    times += [f"{TOO_NOISY}, batch {batch}" for batch in result.clock.noisy]
    return [
        *field(pruned.test.kind.title if pruned.test else "accuracy", _measured(result)),
        *_beside(result),
        *_on_the_way(result),
        *(field("repair", repair_words(result.stages.repair)) if result.stages.repair is not None else []),
        *field("removal", result.check.status),
        *field("parameters", change(dense.params, pruned.params)),
        *field("non-zero", change(dense.nonzero, pruned.nonzero)),
        *field("MACs", f"{change(dense.macs, pruned.macs)} a sample"),
        *(line for text in times or [result.untimed] for line in field("time", text)),
        *(line for remark in remarks(ledger_of_result(result)) for line in field("note", remark.text)),
        *(line for note, names in notes.items() for line in field("note", f"{listed(list(names))}: {note}")),
        *(field("looks", looks_words(result.looks)) if result.looks is not None else []),
        *field("run", str(folder)),
    ]


def _measured(result: Result) -> str:
    dense, pruned, difference = result.dense.test, result.pruned.test, result.difference
    if dense is None or pruned is None or difference is None:
        return "not measured: there were no test images"
    metric = pruned.kind
    words = (
        f"{exactly(metric, dense.value)} → {exactly(metric, pruned.value)} on {pruned.role} images, "
        f"{exact_change(metric, difference.value, difference.interval)}"
    )
    if difference.newly_wrong is None or difference.newly_right is None:
        return words
    if metric.name == "agreement":
        return f"{words}; {difference.newly_wrong} answered otherwise"
    return f"{words}; {difference.newly_wrong} newly wrong, {difference.newly_right} newly right"


def _on_the_way(result: Result) -> list[str]:
    """The figures on select images, from the cut on."""
    found = [(said, getattr(result.stages, stage)) for stage, said in STAGE_WORDS.items()]
    figures = [
        f"{exactly(one.kind, one.value)} ({span(one.kind, one.interval)}) {said}"
        for said, one in found
        if one is not None
    ]
    return field("on the way", f"{'; '.join(figures)}; on select images") if figures else []


def _beside(result: Result) -> list[str]:
    """Further figures, where the images are one's own."""
    if result.recipe.preprocess is None:
        return []
    before = {found.metric: found for found in result.dense.further}
    lines = []
    classes = 0 if result.data is None else result.data.classes or 0
    for found in result.pruned.further:
        metric, other = found.kind, before.get(found.metric)
        if metric.name == "top5" and 0 < classes <= AMONG:
            continue  # five guesses among four classes are always right
        start = f"{exactly(metric, other.value)} → " if other is not None else ""
        words = f"{start}{exactly(metric, found.value)} ({span(metric, found.interval)})"
        lines += field("", f"{metric.title} {words}")
    worst = result.worst_class
    if worst is not None:
        lost = f"{100 * worst.drop:.1f} points fewer" if worst.drop > 0 else "no fewer"
        lines += field("", f"worst class '{worst.name}': {lost} right of {worst.images:,} test images")
    return lines
