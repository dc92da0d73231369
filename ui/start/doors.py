"""The three doors of the Start page, each of which says where its visitor left off, if that is known.

What is known is the visitor's own: the run and the plan of this session, their newest run, the lessons that this
browser has stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.kit import errors, visitor
from ui.kit.doors import Door, LeftOff, continue_at, draw
from ui.runs import unreadable

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.runs import Listing, Run

LEARN = Door(
    page="pages/learn.py",
    title="Learn",
    icon=":material/school:",
    text="Ten short lessons: guess, try it on a real network, see.",
)
PRUNE = Door(
    page="pages/prune.py",
    title="Prune mine",
    icon=":material/content_cut:",
    text="Your own network and images, or a sample: cut it layer by layer, fine-tune what is left.",
    asks=(("yours", "network"),),
)
SHOW = Door(
    page="pages/compare.py",
    title="Show",
    icon=":material/compare:",
    text="Before and after side by side, for people who know no pruning.",
)


def show() -> list[DeltaGenerator]:
    """The doors, before anything is known of the visitor; a place in each for `show_left_off`."""
    return draw((LEARN, PRUNE, SHOW), "doors")


def show_left_off(places: list[DeltaGenerator]) -> None:
    """Where the visitor left off behind each door, as far as that is known."""
    learn, prune, show = places
    found = _listing()
    if lesson := _lesson():
        continue_at(learn, LeftOff(page=LEARN.page, words=lesson))
    if run := _last_run(found):
        words, state = _words(run), _STATES.get(run.state)
        stands = f"{words} ({state})" if state else words
        continue_at(prune, LeftOff(page=PRUNE.page, words=stands, asks=(("run", run.name),)))
        if run.result is not None:
            words = f"{words}, against the uncut network"
            continue_at(show, LeftOff(page=SHOW.page, words=words, asks=(("b", run.name),)))
    if found is not None:
        unreadable.show(found.unreadable)


_STATES = {"queued": "starting", "running": "still working", "cancelled": "cancelled", "failed": "failed"}


def _lesson() -> str:
    from pruning.lessons.library import course
    from pruning.lessons.progress import where_left_off
    from ui.learn import progress

    progress.sync()
    return where_left_off(course().lessons, progress.held())


def _words(run: Run) -> str:
    from pruning.catalog.samples import SAMPLE
    from pruning.runs.words import describe

    return f"{SAMPLE.choices().get(run.origin, run.network)}, {describe(run)}"


def _last_run(found: Listing | None) -> Run | None:
    """The run that this session works on; else the newest of those there are."""
    from ui.session import shown_run

    return shown_run.shown() or (next(iter(found.runs), None) if found is not None else None)


def _listing() -> Listing | None:
    """What the folder of runs holds of the visitor's; None where it cannot be read."""
    with errors.shown(stop=False):
        return visitor.listing()
    return None
