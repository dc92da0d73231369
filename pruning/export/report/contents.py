"""Everything a report says about a run, gathered and measured before anything is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pruning.base.cancel import Cancel
from pruning.base.errors import InputError
from pruning.compare.casualties import Case, Changes
from pruning.compare.classes import ClassChange, per_class
from pruning.compare.galleries import Gallery, galleries
from pruning.compare.networks import LayerPair, compare_layers
from pruning.compare.repaired import RepairGain, repair_gain, was_repaired
from pruning.compare.sides import dense_side, run_side
from pruning.compare.verdict import Facts, Verdict, facts_of_result, verdict
from pruning.data.info import DataInfo
from pruning.data.protocol import Data
from pruning.export.report.charts import OwnPoint
from pruning.export.report.family import Group, Reached, dense_point, family, first_groups, title_of
from pruning.export.report.plans import UniformPlan, measure_plans
from pruning.export.report.provenance import facts, shared_recipe
from pruning.jobs.queue.turn import turn
from pruning.render.markup.badges import Kind, of_metric
from pruning.render.markup.pixels import SMALL, photo
from pruning.runs import Run
from pruning.runs.engine_times import EngineTimes, read_engine_times
from pruning.runs.result import Measurement, Result
from pruning.runs.summary import Summary
from pruning.subject import Subject, open_subject
from pruning.tasks.metric import Metric
from pruning.tasks.table import task_of

MOST_PICTURES = 18
"""Pictures of each kind, the clearest cases first."""
LONGEST_TITLE, LONGEST_ADVICE = 160, 4000
OPENING, MEASURING = 0.05, (0.1, 0.95)
"""Shares of the work that are done while networks and images are opened, and when measuring begins and ends."""
OTHERS = "Images were asked for, but they are no longer those that the run was tested on, so none are shown."
Progress = Callable[[float, str], None]
"""(share done, what is being done)."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the author of a report chooses."""

    title: str = ""
    """'' for the network and what was removed."""
    recommendation: str = ""
    """In the author's words, blank lines between paragraphs; '' for none."""
    photos: bool = False
    """Whether pictures of the test images go along."""

    def __post_init__(self) -> None:
        for name, text, most in (
            ("title", self.title, LONGEST_TITLE),
            ("recommendation", self.recommendation, LONGEST_ADVICE),
        ):
            if len(text) > most:
                raise InputError(f"The {name} has {len(text):,} characters; up to {most:,} are allowed: shorten it.")
            if any(ord(sign) < 32 and sign not in "\n\r\t" for sign in text):
                raise InputError(f"The {name} holds a control character: type it anew as plain text.")


def plain_text(text: str) -> str:
    """A text as people type it: what word processors paste for a line's end is one, other control characters go."""
    lines = re.sub("[\v\f]", "\n", text)
    return "".join(sign for sign in lines if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs"))


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One image with both answers."""

    uri: str
    """The picture as a data URI."""
    smooth: bool
    """Whether it has more pixels than it is shown with."""
    case: Case


@dataclass(frozen=True, kw_only=True, eq=False)
class Shelf:
    """The first pictures of a gallery."""

    title: str
    """With what comes first: 'Newly wrong, worst first'."""
    pictures: tuple[Picture, ...]
    total: int
    """Images of its kind."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Contents:
    """A report before it is a page. Texts are as they came, not escaped."""

    title: str
    recommendation: str
    made: datetime
    network: str
    """Title of the dense network."""
    subtitle: str
    """What was removed."""
    info: DataInfo
    result: Result
    facts: Facts
    verdict: Verdict
    dense: Reached | None
    """None where the run measured no accuracy on test images; then there are no groups either."""
    groups: tuple[Group, ...]
    left_out: int
    """Runs that belong to no group here, since there are too many."""
    layers: tuple[LayerPair, ...]
    classes: tuple[ClassChange, ...]
    """Empty where the run is older than the file of answers."""
    repair: RepairGain | None
    """What a repair without training gave; None where the run did not repair, or kept no answers for it."""
    shelves: tuple[Shelf, ...]
    """Pictures of the test images by what became of their answers; empty unless the author chose so."""
    named: Callable[[int], str]
    """What an output stands for."""
    photos: bool
    why_no_photos: str
    """Why there are none though the author chose so, as a sentence; '' elsewhere."""
    engines: EngineTimes | None
    """Times on several engines; None where they were not measured."""
    plans: tuple[UniformPlan, ...]
    """Empty for a run without images."""
    recipe: str
    """YAML, without paths."""
    origin: tuple[tuple[str, str], ...]
    """Where the numbers come from: titles and texts."""

    @property
    def metric(self) -> Metric:
        """What was measured of the answers."""
        return task_of(self.info).metric

    @property
    def tuned(self) -> bool:
        """Whether the run fine-tuned."""
        return self.result.tuned

    @property
    def badge(self) -> Kind:
        """Of what was measured of the pruned network's answers."""
        return of_metric(self.tuned)

    @property
    def channels(self) -> bool:
        """Whether whole channels went, not single weights."""
        return self.result.recipe.prune.info.shrinks

    @property
    def uniform(self) -> bool:
        """Whether the run cut as the slider does: the same share everywhere, of the dense network."""
        recipe = self.result.recipe
        return not recipe.prune.layers and not recipe.continues

    @property
    def own_points(self) -> tuple[OwnPoint, ...]:
        """What the run itself reached, where it cut as the slider does: repaired, fine-tuned."""
        stages = self.result.stages
        steps: tuple[tuple[str, Literal["square", "diamond"], Measurement | None], ...] = (
            ("repaired", "square", stages.repaired),
            ("fine-tuned", "diamond", stages.finetuned),
        )
        return tuple(
            OwnPoint(words=words, shape=shape, value=found.value)
            for words, shape, found in steps
            if found is not None and self.uniform
        )

    @property
    def changes(self) -> Changes | None:
        """What became of the answers to the test images; None where the run looked at none."""
        return self.facts.changes


def gather(
    run: Run,
    runs: Sequence[Summary],
    options: Options,
    *,
    data_dir: str | None = None,
    sparsities: tuple[float, ...] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Contents:
    """Read a finished run, and measure uniform cuts of its dense network on select images (up to a minute or two).

    `runs`: those of the same folder, for the trade-off. `sparsities`: other cuts than the usual ones.

    Raises:
        InputError: the run is not finished.
        DataError, StorageError: its images or files are absent or damaged.
        Cancelled: `cancel()` became true.
    """
    if run.result is None:
        raise InputError(f"{run.name} is not finished ({run.state}): a report needs a finished run.")
    tell = progress or (lambda share, text: None)
    tell(OPENING, "Opening both networks")
    result, recipe = run.result, run.recipe
    dense_model = open_subject(run.dense_ref(), recipe.data, data_dir, recipe.preprocess)
    pruned_model = open_subject(run.ref, recipe.data, data_dir, recipe.preprocess)
    before, after = dense_side(run, dense_model), run_side(run, pruned_model, run.name)
    both = None if before.answers is None or after.answers is None else (before.answers, after.answers)
    said = facts_of_result(result, None if both is None else {"dense": both[0], "pruned": both[1]})
    data = None
    if result.data is not None:
        tell(OPENING, "Loading the images")
        data = dense_model.data
    info = dense_model.info
    seen = data if data is not None and both is not None and data.digest == both[0].data_digest else None
    groups = family(run, runs)
    shown = first_groups(groups)
    return Contents(
        title=" ".join(options.title.split()) or f"{dense_model.title}, pruned",
        recommendation=options.recommendation.strip(),
        made=datetime.now(UTC),
        network=dense_model.title,
        subtitle=title_of(run),
        info=info,
        result=result,
        facts=said,
        verdict=verdict(said),
        dense=dense_point(run),
        groups=shown,
        left_out=sum(len(group.members) for group in groups[len(shown) :]),
        layers=tuple(compare_layers(dense_model, pruned_model)),
        classes=() if both is None else tuple(per_class(*both, info.classes)),
        repair=repair_gain(run, info.classes) if was_repaired(result) else None,
        shelves=_shelves(galleries(*both), seen) if options.photos and both is not None and seen is not None else (),
        named=dense_model.named,
        photos=options.photos and seen is not None,
        why_no_photos=OTHERS if options.photos and seen is None and data is not None and both is not None else "",
        engines=read_engine_times(run.path),
        plans=() if data is None else _plans(run, dense_model, sparsities, tell, cancel),
        recipe=shared_recipe(run),
        origin=tuple(facts(run, network=dense_model.title)),
    )


def _shelves(found: Sequence[Gallery], data: Data) -> tuple[Shelf, ...]:
    return tuple(
        Shelf(
            title=f"{gallery.title}, {gallery.first}" if gallery.first else gallery.title,
            pictures=tuple(_picture(case, data) for case in gallery.some(MOST_PICTURES)),
            total=gallery.total,
        )
        for gallery in found
    )


def _picture(case: Case, data: Data) -> Picture:
    image = data.image("test", case.index)
    return Picture(uri=photo(image, SMALL), smooth=max(image.shape[-2:]) > SMALL // 2, case=case)


def _plans(
    run: Run,
    dense: Subject,
    sparsities: tuple[float, ...] | None,
    tell: Progress,
    cancel: Cancel | None,
) -> tuple[UniformPlan, ...]:
    begin, end = MEASURING

    def count(done: int, of: int) -> None:
        tell(begin + (end - begin) * done / of, f"Measuring uniform cuts on select images: {done} of {of}")

    with turn("report", cancel, lambda text: tell(OPENING, text)):
        return measure_plans(
            dense,
            run.recipe.prune,
            sparsities=sparsities,
            repaired=run.result is not None and was_repaired(run.result),
            progress=count,
            cancel=cancel,
        )
