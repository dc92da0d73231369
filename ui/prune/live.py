"""The tile of the metric on the Prune page: measured anew whenever the hand rests, on more and more images.

Each figure is drawn as soon as it is known. Drawing, and asking whether to stop, are the points at which Streamlit ends
this run of the page when a newer plan has come: nobody waits for an answer to an old question.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import accuracy_tile
from pruning.render.markup.accuracy_tile import AccuracyTile, Shown
from pruning.spec import PruneSpec
from ui.kit import run_index, what_if

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.runs.result import Result
    from pruning.sensitivity import FigureName
    from pruning.subject import Subject
    from pruning.whatif import Measured

REDRAW = 0.1
"""Seconds between two pictures of the same plan: intervals narrow slowly."""
AT_ONCE, PATIENCE = 0.1, 4.0
"""Seconds that a repair waits until nobody else measures anything: between the first figures of a cut and those on all
images, and after them. The page follows nothing else meanwhile."""
_LAST = "live_last"
"""What the tile of this session shows."""
_ASKED = "live_repair_asked"
"""Network, images and cut of which a repair was asked for."""


def begin(place: DeltaGenerator) -> None:
    """Draw what stood there before, so that nothing flickers while the page is made anew."""
    _draw(place, st.session_state.get(_LAST, AccuracyTile()))


def show(
    place: DeltaGenerator, chosen: Subject, cut: PruneSpec, result: Result | None, rev: int
) -> Iterator[Measured] | None:
    """Measure a cut and draw its figures as they come: the first of each on few images, where nobody else measures what
    a repair gives as well, and then on more. What is still to come of that, for `show_repaired`. Raises InputError for
    a cut that is not allowed.

    `result`: of the run shown, where it is a run of this cut. `rev`: number of the board's message that made the cut.
    """
    missing = chosen.missing
    if missing is not None:
        _put(place, AccuracyTile(metric=chosen.task.metric.title, missing=missing))
        return None
    of = (chosen.identity, chosen.data.digest)
    before: AccuracyTile = st.session_state.get(_LAST, AccuracyTile())
    shown = before if before.of == of else AccuracyTile(of=of)
    shown = replace(shown, metric=chosen.task.metric.title, missing=None, waits=True)
    engine = what_if.engine(chosen)
    shown = replace(
        shown,
        images=min(what_if.IMAGES, chosen.data.length("select")),
        precision=accuracy_tile.precision_html(engine),
        tuned=accuracy_tile.tuned_html(result),
        is_tuned=result is not None and result.tuned,
        removes=not cut.removes_nothing,
        repair="nothing to do" if cut.removes_nothing else "waits" if engine.repairs else "impossible",
        by=f"It cannot be refitted: {engine.whole_because}" if engine.whole_because else "",
    )
    if shown.dense is None:
        nothing = PruneSpec(granularity=cut.granularity)
        for measured in what_if.follow(chosen, nothing):
            shown = replace(shown, dense=measured.as_cut)
            if not measured.complete and _is_due(measured):
                _put(place, shown)
    drawn, to_come = 0.0, None
    for measured in what_if.follow(chosen, cut):
        shown = replace(shown, as_cut=measured.as_cut, rev=rev)
        if measured.recalibrated is not None or measured.complete or "recalibrated" not in engine.figures:
            shown = replace(shown, recalibrated=measured.recalibrated, waits=False)
        if measured.complete:
            shown = _with_known_repair(shown, chosen, cut, result)
        if measured.complete or time.monotonic() - drawn >= REDRAW or not _is_due(measured):
            _put(place, shown)
            drawn = time.monotonic()
        if shown.repair == "waits" and not shown.waits and not measured.complete and to_come is None:
            shown, to_come = _with_first_repair(place, shown, chosen, cut, result)
    if result is None:
        _put(place, replace(shown, tuned=_similar_html(chosen, cut)))
    return to_come


def _with_first_repair(
    place: DeltaGenerator, shown: AccuracyTile, chosen: Subject, cut: PruneSpec, result: Result | None
) -> tuple[AccuracyTile, Iterator[Measured]]:
    """The tile with the first figure of a coarse repair, where it can be had at once; and what comes after it."""
    from pruning.whatif.lane import Overtaken

    nothing: Iterator[Measured] = iter(())
    known = _with_known_repair(shown, chosen, cut, result)
    if known.repair != "waits":
        return known, nothing
    if not what_if.is_idle():
        return shown, nothing
    to_come = what_if.follow_repaired(chosen, cut, patience=AT_ONCE)
    try:
        shown = accuracy_tile.with_coarse_repair(shown, next(to_come))
    except Overtaken:
        return shown, nothing
    _put(place, shown)
    return shown, to_come


def show_repaired(
    place: DeltaGenerator, request: DeltaGenerator, chosen: Subject, cut: PruneSpec, to_come: Iterator[Measured] | None
) -> None:
    """Measure what a repair without training gives, where it is not known yet, and draw it: on request while others
    wait for jobs, or measure all the while. After everything else. `request`: where the button for that stands.
    `to_come`: as `show` gave it."""
    from pruning.whatif.lane import Overtaken

    shown: AccuracyTile = st.session_state.get(_LAST, AccuracyTile())
    if chosen.missing is None and shown.repair == "coarse" and to_come is not None:
        with contextlib.suppress(Overtaken):  # what stands there is a figure, of fewer images
            _draw_repaired(place, shown, to_come)
        return
    if chosen.missing is not None or shown.repair != "waits":
        return
    asked = (chosen.identity, chosen.data.digest, cut.digest)
    is_asked = st.session_state.get(_ASKED) == asked
    if not is_asked and not what_if.is_idle():
        _offer(place, request, shown, asked)
        return
    _put(place, replace(shown, repair="under way"))
    try:
        _draw_repaired(place, shown, what_if.follow_repaired(chosen, cut, patience=None if is_asked else PATIENCE))
    except Overtaken:
        _offer(place, request, shown, asked)


def _draw_repaired(place: DeltaGenerator, shown: AccuracyTile, figures: Iterator[Measured]) -> None:
    drawn = 0.0
    for measured in figures:
        if measured.complete or time.monotonic() - drawn >= REDRAW:
            _put(place, accuracy_tile.with_coarse_repair(shown, measured))
            drawn = time.monotonic()


def _offer(place: DeltaGenerator, request: DeltaGenerator, shown: AccuracyTile, asked: tuple[str, str, str]) -> None:
    """A button in the figure's place."""
    _put(place, replace(shown, repaired=None, repair="on request"))
    request.button("Repair", key="repair_now", icon=":material/healing:", on_click=_ask, args=(asked,),
                   help="Others use this machine: a repair is measured when you ask for it.")  # fmt: skip


def _ask(asked: tuple[str, str, str]) -> None:
    """In a callback: whatever draws the page anew meanwhile, the request stands."""
    st.session_state[_ASKED] = asked


def _with_known_repair(shown: AccuracyTile, chosen: Subject, cut: PruneSpec, result: Result | None) -> AccuracyTile:
    """The tile with what is known of a repair of this very cut: of a run that repaired, else measured before."""
    run = None if result is None else result.stages
    if run is not None and run.repaired is not None and run.repair is not None:
        found = run.repaired
        figure = Shown(metric=found.kind, value=found.value, interval=found.interval)
        return replace(shown, repaired=figure, repair="of a run", by=run.repair.words)
    known = what_if.known_repaired(chosen, cut) if shown.repair == "waits" else None
    return shown if known is None else accuracy_tile.with_coarse_repair(shown, known)


def say_together(place: DeltaGenerator, chosen: Subject, cut: PruneSpec) -> None:
    """Below the board: what the groups' own curves led to expect of the figure in the tile, where they are measured."""
    from ui.kit import curves

    shown: AccuracyTile = st.session_state.get(_LAST, AccuracyTile())
    now = shown.recalibrated or shown.as_cut
    if now is None or chosen.missing is not None:
        return
    figure: FigureName = "recalibrated" if shown.recalibrated else "as_cut"
    words = curves.together_words(chosen, cut, now, figure)
    if words is not None:
        place.caption(words)


def _similar_html(chosen: Subject, cut: PruneSpec) -> str:
    from pruning.runs.index.similar import values_of_similar

    found = values_of_similar(
        run_index.looked(),
        chosen.graph,
        cut,
        model=chosen.ref,
        data=chosen.data_name,
        preprocess=chosen.preprocess,
    )
    return accuracy_tile.similar_html(found, chosen.task.metric)


def _is_due(measured: Measured) -> bool:
    return measured.recalibrated is not None


def _put(place: DeltaGenerator, shown: AccuracyTile) -> None:
    st.session_state[_LAST] = shown
    _draw(place, shown)


def _draw(place: DeltaGenerator, shown: AccuracyTile) -> None:
    place.html(accuracy_tile.html(shown))
