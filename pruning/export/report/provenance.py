"""Settings and origin of a run for a reader elsewhere: no folder, host or user name of this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pruning.base.errors import InputError
from pruning.base.words import threads
from pruning.catalog.licences import licence_of
from pruning.catalog.openers import is_on_this_machine_alone, parse_reference
from pruning.criteria import find_criterion
from pruning.data.readers import describe_data, without_path
from pruning.removal.verify import Check
from pruning.runs import Run
from pruning.runs.held import changed
from pruning.runs.looks import looks_words
from pruning.runs.repair_words import ASKED
from pruning.runs.result import DataUsed, Measurement, Result
from pruning.runs.words import BROUGHT


def shared_recipe(run: Run) -> str:
    """The recipe as YAML; a model or data set that is a folder on this machine is named by the folder's name alone."""
    return replace(run.recipe, model=model_name(run.recipe.model), data=without_path(run.recipe.data)).to_yaml()


def model_name(ref: str) -> str:
    """A model reference without a path.

    >>> model_name("run:/home/ann/runs/20261124-lenet5-ab12"), model_name("sample:lenet5")
    ('run:20261124-lenet5-ab12', 'sample:lenet5')
    """
    try:
        reference = parse_reference(ref)
    except InputError:
        return Path(ref).name
    return f"{reference.kind}:{Path(reference.name).name}" if is_on_this_machine_alone(ref) else ref


def facts(run: Run, *, network: str) -> list[tuple[str, str]]:
    """Where the numbers come from, as titles and texts. `network`: its title."""
    result = run.result
    assert result is not None, f"{run.name} is not finished"
    clock = result.clock
    criterion = find_criterion(run.recipe.prune.criterion)
    rounds = f"{run.recipe.iterations} rounds" if run.recipe.schedule == "iterative" else "at once"
    return [
        ("Method", f"{run.recipe.prune.granularity} pruning {rounds}, by {criterion.title}. {criterion.explanation}"),
        ("Repair", f"{_capital(ASKED[run.recipe.repair])}."),
        ("Network", f"{network} ({model_name(result.model)}), weights SHA-256 {result.model_digest[:16]}…"),
        ("Licence of its weights", _licence(run.origin)),
        ("Images", _images(result.data)),
        *_of_own(run, result),
        *([("Brought", BROUGHT)] if run.brought else []),
        ("Run", f"{run.name}, {run.created.strftime('%d %B %Y')}, took {result.seconds:.0f} s"),
        ("Machine", f"{clock.cpu or 'a processor that was not noted'}, {threads(clock.threads)}"),
        *([("Times", f"measured {clock.at.strftime('%d %B %Y')}")] if clock.at is not None and result.speedups else []),
        ("Software", f"{clock.engine}; PyTorch {clock.torch}"),
        ("Proof of the removal", _proof(result.check)),
        *([("Changed since", " ".join(since))] if (since := changed(run.path)) else []),
    ]


def _licence(ref: str) -> str:
    """Of the weights that a run goes back to."""
    try:
        return licence_of(ref) or "not known"
    except InputError:  # the reference came in a file, or is not known
        return "not known"


def _of_own(run: Run, result: Result) -> list[tuple[str, str]]:
    """What a reader has to know of images of one's own."""
    how = run.recipe.preprocess
    if how is None:
        return []
    found = [("Preparation of the images", f"{how.words[:1].upper()}{how.words[1:]}.")]
    if result.data is not None and result.data.remarks:
        found.append(("Noticed", " ".join(result.data.remarks)))
    if result.pruned.further:
        found.append(("Further metrics, on test images", "; ".join(map(_beside(result), result.pruned.further))))
    if result.worst_class is not None:
        worst = result.worst_class
        change = f"{100 * worst.drop:.1f} points fewer" if worst.drop > 0 else "none fewer"
        found.append(("Worst class", f"{worst.name}: of its {worst.images:,} test images {change} are right"))
    if result.looks is not None:
        words = looks_words(result.looks)
        found.append(("Looks", f"{words[:1].upper()}{words[1:]}."))
    return found


def _beside(result: Result) -> Callable[[Measurement], str]:
    before = {found.metric: found for found in result.dense.further}

    def words(found: Measurement) -> str:
        metric, dense = found.kind, before.get(found.metric)
        start = "" if dense is None else f"{metric.words(dense.value)} → "
        return f"{metric.title} {start}{metric.words(found.value)} ({metric.span(found.interval)})"

    return words


def _images(data: DataUsed | None) -> str:
    if data is None:
        return "none: nothing was measured on images"
    title, sizes = data.title, list(data.sizes.items())
    if not title:  # a published data set
        info = describe_data(data.name)
        title, sizes = info.title, [(str(role), count) for role, count in info.sizes.items()]
    counts = ", ".join(f"{count:,} {role}" for role, count in sizes)
    return f"{title}: {counts}; SHA-256 {data.sha256[:16]}…"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _proof(check: Check) -> str:
    if check.status == "exact":
        return f"exact, against: {check.reference}"
    return f"{check.status.replace('_', ' ')}: {check.reason or check.reference}"
