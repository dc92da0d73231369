"""The tile of the metric on the board as HTML: as cut, recalibrated, repaired and fine-tuned, each with interval and
badge. The furthest that is known is the big one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Literal

from pruning.base.words import percent
from pruning.render.markup import badges

if TYPE_CHECKING:
    from pruning.runs.result import Result
    from pruning.tasks.metric import Metric
    from pruning.training.evaluate import Evaluation
    from pruning.whatif import Measured, WhatIf

RepairState = Literal["nothing to do", "impossible", "waits", "under way", "on request", "coarse", "of a run"]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A figure of which no more is known than what is shown."""

    metric: Metric
    value: float
    interval: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class AccuracyTile:
    """What stands in the tile."""

    of: tuple[str, str] = ("", "")
    """Digests of the network and the images: figures of others are not carried over."""
    dense: Evaluation | None = None
    as_cut: Evaluation | None = None
    recalibrated: Evaluation | None = None
    removes: bool = True
    """Whether the plan removes anything; else there is nothing to recalibrate and to repair."""
    waits: bool = True
    """Whether the recalibrated figure is still to come; until then the one before stands there, dim."""
    repaired: Evaluation | Shown | None = None
    """After a repair without training."""
    repair: RepairState = "waits"
    """What is known of that figure: nothing is to be known, since the plan removes nothing or the network cannot be
    refitted; it is still to be measured, or is being measured, and until then the one before stands there, dim; it is
    measured on request; it rests on a coarse refit; it is that of a run."""
    by: str = ""
    """The method in a few words, where it is known; why there is none, where it is impossible."""
    images: int = 0
    """That the figures will rest on in the end."""
    precision: str = ""
    """HTML, as `precision_html` gives it."""
    tuned: str = ""
    """HTML of the last figure, as `tuned_html` or `similar_html` gives it."""
    is_tuned: bool = False
    """Whether that is of this very cut."""
    metric: str = "accuracy"
    """Its title."""
    missing: str | None = None
    """Why there can be no figure."""
    rev: int = 0
    """Number of the board's message whose plan the figures are of."""


def html(tile: AccuracyTile) -> str:
    """The tile as HTML, in the colours of the page."""
    if tile.missing is not None:
        figures = f'<p class="px-dim">{escape(tile.missing)}</p>'
    else:
        main = _main(tile)
        again = _figure(tile.recalibrated, "recalibrated", main=main == "recalibrated", dim=tile.waits)
        if not tile.waits and tile.recalibrated is None:
            again = _dash("recalibrated", "no batch norm" if tile.removes else NOTHING)
        cut = _figure(tile.as_cut, "as cut", main=main == "as_cut")
        figures = cut + again + _repaired(tile, main=main == "repaired") + tile.tuned
    return (
        f'<style>{badges.STYLE}{STYLE}</style><section class="px-live" aria-live="polite" data-rev="{tile.rev}">'
        f"<h2>{_title(tile)}</h2><div>{figures}</div></section>"
    )


def with_coarse_repair(tile: AccuracyTile, measured: Measured) -> AccuracyTile:
    """The tile with what a coarse refit gave or, once all images were looked at, what is better without one."""
    best, by = measured.repaired, "a refit"
    others = {
        "recalibration, better than a refit here": tile.recalibrated,
        "as cut, since a refit gives no more here": tile.as_cut,
    }
    for words, other in others.items() if measured.complete else ():
        if other is not None and best is not None and other.metric.gain(other.value - best.value) > 0:
            best, by = other, words
    return replace(tile, repaired=best, repair="coarse", by=by)


def precision_html(engine: WhatIf) -> str:
    """The arithmetic in which figures are measured, to stand behind the title, and why that one."""
    found = engine.precision
    seen = "" if found.agreement is None else f"{percent(found.agreement)} of {found.images:,} images"
    if found.name == "bf16":
        help_ = f"In bfloat16: the same answer as in float32 on {seen}."
        return f' · <abbr title="{escape(help_)}">bf16 {percent(found.agreement or 0)}</abbr>'
    help_ = "In float32."
    if seen:
        help_ += f" bfloat16 gives the same answer on {seen}; it is used where those are nearly all and it is faster."
    if engine.whole_because is not None:
        help_ = f"In float32, computed whole for every plan and so more slowly: {engine.whole_because}."
    return f' · <abbr title="{escape(help_)}">fp32</abbr>'


def tuned_html(result: Result | None) -> str:
    """The figure after fine-tuning of a run of this very cut; `None`: there is no such run."""
    found = None if result is None else result.stages.finetuned
    if found is None:
        return _dash("fine-tuned", "not yet")
    big, small = escape(found.kind.words(found.value)), found.kind.span(found.interval)
    return _column(f"<b>{big}</b>{badges.badge('tuned')}", "fine-tuned", small, kind="px-main")


def similar_html(reached: Sequence[float], metric: Metric) -> str:
    """What similar runs came to after fine-tuning, where the cut itself was not fine-tuned. `reached`: the metric of
    each on select images."""
    if not reached:
        return tuned_html(None)
    ends = escape(metric.words(reached[0]) if len(reached) == 1 else metric.span((min(reached), max(reached))))
    count = f"{len(reached)} run{'' if len(reached) == 1 else 's'}"
    help_ = "What runs that removed nearly the same reached after fine-tuning. This very cut: not yet."
    big = f"<b>{ends}</b>{badges.badge('tuned')}"
    return _column(big, "similar cuts", count, kind="px-dim" if len(reached) == 1 else "px-dim px-ends", title=help_)


def _main(tile: AccuracyTile) -> str:
    """Which figure is the big one: the furthest that is known of this cut."""
    if tile.is_tuned:
        return "tuned"
    if tile.repair in ("coarse", "of a run") and tile.repaired is not None:
        return "repaired"
    return "as_cut" if not tile.waits and tile.recalibrated is None else "recalibrated"


def _repaired(tile: AccuracyTile, *, main: bool) -> str:
    if tile.repair == "on request":  # the button stands in the figure's place
        return _column("<b>–</b>", "repaired", "on request", kind="px-dim px-asks")
    why = {"nothing to do": NOTHING, "impossible": "not possible"}.get(tile.repair)
    if why is not None:
        return _dash("repaired", why, title=tile.by if tile.repair == "impossible" else "")
    stage = "repaired, coarse" if tile.repair in ("coarse", "under way") else "repaired"
    if tile.repaired is None and tile.repair != "under way":
        return _dash(stage, "comes next")
    how = f" This figure: {tile.by}." if tile.by else ""
    dim = tile.repair in ("waits", "under way")
    return _figure(tile.repaired, stage, main=main, dim=dim, title=REPAIRED[tile.repair] + how)


NOTHING = "nothing removed"
REPAIRED: dict[RepairState, str] = {
    "waits": "Without training or labels. Of the plan before: measured anew when the hand rests.",
    "under way": "Without training or labels, for this very plan: single weights and large layers take longest.",
    "coarse": "Without training or labels: weights that are left are fitted to give what the dense network gives. From "
    "few images here; a run takes more, so its own figure differs a little.",
    "of a run": "Without training or labels, by the run of this very plan.",
}
"""What stands behind the repaired figure."""


def _title(tile: AccuracyTile) -> str:
    title = escape(tile.metric.capitalize())
    if tile.as_cut is None or tile.missing is not None:
        return f"{title} on select images"
    seen, all_of_them = tile.as_cut.images, tile.images
    count = f"{seen:,}" if seen == all_of_them else f"{seen:,} of {all_of_them:,}"
    dense = ""
    if tile.dense is not None and not _is_its_own_measure(tile.dense):
        dense = f" · dense {_words(tile.dense)}{badges.badge('measured')}"
    return f"{title} on {count} select images{dense}{tile.precision}"


def _is_its_own_measure(dense: Evaluation) -> bool:
    """Whether the dense network was held against itself, which says nothing."""
    from pruning.tasks.alike import AGREEMENT

    return dense.metric.name == AGREEMENT.name and dense.value == AGREEMENT.bounds[1]


def _figure(
    evaluation: Evaluation | Shown | None, stage: str, *, main: bool = False, dim: bool = False, title: str = ""
) -> str:
    kind = " ".join(name for name, there in (("px-main", main), ("px-dim", dim or evaluation is None)) if there)
    if evaluation is None:
        return _column("<b>…</b>", stage, "measuring", kind=kind)
    small = "measuring" if dim else evaluation.metric.span(evaluation.interval)
    mark = "" if dim else badges.badge("measured")
    return _column(f"<b>{_words(evaluation)}</b>{mark}", stage, small, kind=kind, title=title)


def _words(evaluation: Evaluation | Shown) -> str:
    return escape(evaluation.metric.words(evaluation.value))


def _dash(stage: str, why: str, title: str = "") -> str:
    return _column("<b>–</b>", stage, why, kind="px-dim", title=title)


def _column(big: str, stage: str, small: str, *, kind: str, title: str = "") -> str:
    """One figure, its stage and, below it, its interval or what is to come. `big`: HTML."""
    help_ = f' title="{escape(title)}"' if title else ""
    return f'<div class="{kind}"{help_}>{big}<small>{escape(stage)}<i> · </i><span>{escape(small)}</span></small></div>'


STYLE = """
.px-live{border-radius:var(--corner-panel);padding:9px 14px;height:98px;overflow:hidden;
 font-variant-numeric:tabular-nums;
 line-height:1.4}
.px-live h2{margin:0!important;padding:0!important;font-size:var(--text-control)!important;font-weight:500!important;
 line-height:1.4!important;letter-spacing:0!important;color:inherit;opacity:var(--faint);white-space:nowrap}
.px-live abbr{text-decoration:underline dotted;cursor:help}
.px-live>div{display:grid;grid-template-columns:1fr 1fr 1.1fr 1fr;gap:10px;align-items:start}
.px-live>div>*{min-width:0;white-space:nowrap}
.px-live b{font-size:20px;font-weight:var(--bold);line-height:30px;white-space:nowrap}
.px-live .px-main b{font-size:25px;font-weight:var(--heavy)}
.px-live .px-ends b{font-size:var(--text-control)}
.px-live small{display:block;font-size:var(--text-control);line-height:1.25;opacity:var(--faint);white-space:nowrap}
.px-live small i{display:none}
.px-live small span{display:block}
.px-live .px-dim b{opacity:var(--faint);font-weight:500}
.px-live .px-badge{margin-left:.3rem}
.px-live p{grid-column:1/-1;white-space:normal;margin:4px 0 0!important;font-size:var(--text-small);line-height:1.35}
@media (min-width:1101px){.px-live .px-asks b{visibility:hidden}}
@media (max-width:1180px){.px-live>div{gap:8px}.px-live b{font-size:17px}.px-live .px-main b{font-size:20px}}
@media (max-width:1100px){.px-live{background:color-mix(in srgb,currentColor 4%,transparent);height:auto}
 .px-live h2{white-space:normal}.px-live>div{gap:4px 16px}
 .px-live b{font-size:20px}.px-live .px-main b{font-size:25px}}
@media (max-width:640px){.px-live>div{grid-template-columns:1fr 1fr}}
"""
