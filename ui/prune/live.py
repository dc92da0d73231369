"""The tile of the metric on the Prune page: measured anew whenever the hand rests, on more and more images.

Each figure is drawn as soon as it is known. Drawing, and asking whether to stop, are the points at which Streamlit ends
this run of the page when a newer plan has come: nobody waits for an answer to an old question.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import percent
from pruning.render.markup import badges
from pruning.spec import PruneSpec
from ui.kit import lab, loaders

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.runs.result import Result
    from pruning.sensitivity import FigureName
    from pruning.subject import Subject
    from pruning.training.evaluate import Evaluation
    from pruning.whatif import Measured, WhatIf

IMAGES = 2000
"""Select images that a figure rests on in the end."""
REDRAW = 0.1
"""Seconds between two pictures of the same plan: intervals narrow slowly."""
REMEMBERED = 2000
"""Plans whose figures are kept, for all sessions."""
_LAST = "live_last"
"""What the tile of this session shows."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What stands in the tile."""

    of: tuple[str, str] = ("", "")
    """Digests of the network and the images: figures of others are not carried over."""
    dense: Evaluation | None = None
    as_cut: Evaluation | None = None
    recalibrated: Evaluation | None = None
    waits: bool = True
    """Whether the recalibrated figure is still to come; until then the one before stands there, dim."""
    images: int = 0
    """That the figures will rest on in the end."""
    precision: str = ""
    tuned: str = ""
    """HTML of the third figure."""
    metric: str = "accuracy"
    """Its title."""
    missing: str | None = None
    """Why there can be no figure."""
    rev: int = 0
    """Number of the board's message whose plan the figures are of."""


def begin(place: DeltaGenerator) -> None:
    """Draw what stood there before, so that nothing flickers while the page is made anew."""
    _draw(place, st.session_state.get(_LAST, Shown()))


def show(place: DeltaGenerator, chosen: Subject, cut: PruneSpec, result: Result | None, rev: int) -> None:
    """Measure a cut and draw its figures as they come. Raises InputError for a cut that is not allowed.

    `result`: of the run shown, where it is a run of this cut. `rev`: number of the board's message that made the cut.
    """
    if chosen.missing is not None:
        _put(place, Shown(metric=chosen.task.metric.title, missing=chosen.missing))
        return
    of = (chosen.digest, chosen.data.digest)
    before: Shown = st.session_state.get(_LAST, Shown())
    shown = before if before.of == of else Shown(of=of)
    tuned = _NOT_TUNED if result is None else _tuned_html(result)
    shown = replace(shown, metric=chosen.task.metric.title, missing=None, tuned=tuned, waits=True)
    engine = _engine(*of, chosen)
    shown = replace(shown, images=min(IMAGES, chosen.data.length("select")), precision=_precision_words(engine))
    if shown.dense is None:
        nothing = PruneSpec(granularity=cut.granularity)
        for measured in _follow(engine, of, chosen, nothing):
            shown = replace(shown, dense=measured.as_cut)
            if not measured.complete and _is_due(measured):
                _put(place, shown)
    drawn = 0.0
    for measured in _follow(engine, of, chosen, cut):
        shown = replace(shown, as_cut=measured.as_cut, rev=rev)
        if measured.recalibrated is not None or measured.complete or "recalibrated" not in engine.figures:
            shown = replace(shown, recalibrated=measured.recalibrated, waits=False)
        if measured.complete or time.monotonic() - drawn >= REDRAW or not _is_due(measured):
            _put(place, shown)
            drawn = time.monotonic()
    if result is None:
        _put(place, replace(shown, tuned=_near_html(chosen, cut)))


def say_together(place: DeltaGenerator, chosen: Subject, cut: PruneSpec) -> None:
    """Below the board: what the groups' own curves led to expect of the figure in the tile, where they are measured."""
    from ui.kit import curves

    shown: Shown = st.session_state.get(_LAST, Shown())
    now = shown.recalibrated or shown.as_cut
    if now is None or chosen.missing is not None:
        return
    figure: FigureName = "recalibrated" if shown.recalibrated else "as_cut"
    words = curves.together_words(chosen, cut, now, figure)
    if words is not None:
        place.caption(words)


def _is_due(measured: Measured) -> bool:
    return measured.recalibrated is not None


def _follow(engine: WhatIf, of: tuple[str, str], subject: Subject, cut: PruneSpec) -> Iterator[Measured]:
    """Figures of a cut on more and more images: at once the last ones where they are known already.

    The engine is held for one step at a time, so that sessions take turns.
    """
    answers = _answers()
    key = (*of, cut.digest)
    if key in answers:
        answers.move_to_end(key)
        yield answers[key]
        return
    steps = engine.follow(lab.plan(subject, cut), cancel=loaders.asked_to_stop)
    while True:
        with loaders.computing():
            measured = next(steps, None)
        if measured is None:
            return
        if measured.complete:
            answers[key] = measured
            while len(answers) > REMEMBERED:
                answers.popitem(last=False)
        yield measured


@st.cache_resource(show_spinner=False, max_entries=2)
def _engine(digest: str, data_digest: str, _subject: Subject) -> WhatIf:
    from pruning.whatif import WhatIf

    with loaders.computing():
        return WhatIf(_subject.model, _subject.graph, _subject.data, images=IMAGES)


@st.cache_resource(show_spinner=False)
def _answers() -> OrderedDict[tuple[str, str, str], Measured]:
    return OrderedDict()


def _put(place: DeltaGenerator, shown: Shown) -> None:
    st.session_state[_LAST] = shown
    _draw(place, shown)


def _draw(place: DeltaGenerator, shown: Shown) -> None:
    place.html(html(shown))


def html(shown: Shown) -> str:
    """The tile as HTML."""
    if shown.missing is not None:
        figures = f'<div class="px-dim"><b>–</b><small>{escape(shown.missing)}</small></div>'
    else:
        alone = not shown.waits and shown.recalibrated is None
        again = _figure(shown.recalibrated, "recalibrated", main=True, dim=shown.waits)
        if alone:
            again = _dash("recalibrated: nothing to do")
        figures = _figure(shown.as_cut, "as cut", main=alone) + again + shown.tuned
    return (
        f'<style>{badges.STYLE}{STYLE}</style><section class="px-live" aria-live="polite" data-rev="{shown.rev}">'
        f"<h2>{_title(shown)}</h2><div>{figures}</div></section>"
    )


def _title(shown: Shown) -> str:
    title = escape(shown.metric.capitalize())
    if shown.as_cut is None or shown.missing is not None:
        return f"{title} on select images"
    seen, all_of_them = shown.as_cut.images, shown.images
    count = f"{seen:,}" if seen == all_of_them else f"{seen:,} of {all_of_them:,}"
    dense = (
        f" · dense {escape(shown.dense.metric.words(shown.dense.value))}{badges.badge('measured')}"
        if shown.dense
        else ""
    )
    return f"{title} on {count} select images{dense}{shown.precision}"


def _precision_words(engine: WhatIf) -> str:
    found = engine.precision
    seen = "" if found.agreement is None else f"{percent(found.agreement)} of {found.images:,} images"
    if found.name == "bf16":
        help_ = f"In bfloat16: the same answer as in float32 on {seen}."
        return f' · <abbr title="{escape(help_)}">bf16 {percent(found.agreement or 0)}</abbr>'
    help_ = f"In float32: bfloat16 is not faster, or gives the same answer only on {seen}." if seen else "In float32."
    if engine.whole_because is not None:
        help_ = f"In float32, computed whole for every plan and so more slowly: {engine.whole_because}."
    return f' · <abbr title="{escape(help_)}">fp32</abbr>'


def _figure(evaluation: Evaluation | None, stage: str, *, main: bool = False, dim: bool = False) -> str:
    kind = " ".join(name for name, there in (("px-main", main), ("px-dim", dim or evaluation is None)) if there)
    if evaluation is None:
        return f'<div class="{kind}"><b>…</b><small>{stage}: measuring</small></div>'
    small = f"{stage} · measuring" if dim else f"{stage} · {escape(evaluation.metric.span(evaluation.interval))}"
    mark = "" if dim else badges.badge("measured")
    return f'<div class="{kind}"><b>{_words(evaluation)}</b>{mark}<small>{small}</small></div>'


def _words(evaluation: Evaluation) -> str:
    return escape(evaluation.metric.words(evaluation.value))


def _dash(words: str) -> str:
    return f'<div class="px-dim"><b>–</b><small>{words}</small></div>'


_NOT_TUNED = _dash("fine-tuned: not yet")


def _tuned_html(result: Result) -> str:
    found = result.stages.finetuned
    if found is None:
        return _NOT_TUNED
    return (
        f"<div><b>{escape(found.kind.words(found.value))}</b>{badges.badge('tuned')}"
        f"<small>fine-tuned · {escape(found.kind.span(found.interval))}</small></div>"
    )


def _near_html(chosen: Subject, cut: PruneSpec) -> str:
    """What runs of similar cuts came to after fine-tuning."""
    from pruning.runs import list_runs
    from pruning.runs.near import near_runs

    runs = near_runs(list_runs(), chosen.graph, cut, model=chosen.ref, data=chosen.data_name)
    tuned = [run.result.stages.finetuned for run in runs if run.result is not None]
    reached = [found.value for found in tuned if found is not None]
    if not reached:
        return _NOT_TUNED
    metric = chosen.task.metric
    ends = escape(metric.words(reached[0]) if len(reached) == 1 else metric.span((min(reached), max(reached))))
    words = f"similar cuts, {len(reached)} run{'' if len(reached) == 1 else 's'}"
    help_ = "What runs that removed nearly the same reached after fine-tuning. This very cut: not yet."
    return f'<div class="px-dim" title="{help_}"><b>{ends}</b>{badges.badge("tuned")}<small>{words}</small></div>'


STYLE = """
.px-live{border-radius:10px;padding:9px 14px;height:88px;overflow:hidden;font-variant-numeric:tabular-nums;
 line-height:1.4}
.px-live h2{margin:0!important;padding:0!important;font-size:13px!important;font-weight:500!important;
 line-height:1.4!important;letter-spacing:0!important;color:inherit;opacity:.75;white-space:nowrap}
.px-live abbr{text-decoration:underline dotted;cursor:help}
.px-live>div{display:flex;gap:14px;align-items:flex-start}
.px-live b{font-size:21px;font-weight:600;line-height:31px;white-space:nowrap}
.px-live .px-main b{font-size:25px;font-weight:650}
.px-live small{display:block;font-size:13px;line-height:1.3;opacity:.75;white-space:nowrap}
.px-live .px-dim b{opacity:.75;font-weight:500}
@media (max-width:860px){.px-live{background:color-mix(in srgb,currentColor 4%,transparent);height:auto}
 .px-live h2,.px-live small{white-space:normal}.px-live>div{flex-wrap:wrap;gap:4px 22px}}
"""
