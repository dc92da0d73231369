"""The three doors of the Start page, each of which says where its visitor left off, if that is known.

What is known is the visitor's own: the run and the plan of this session, their newest run, the lessons that this
browser has stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.kit import errors, run_index
from ui.kit.doors import Door, LeftOff, continue_at, draw
from ui.runs import unreadable

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.runs import Run, Unreadable
    from pruning.runs.summary import Summary

LEARN = Door(
    page="pages/learn.py",
    title="Learn",
    icon=":material/school:",
    text="Short lessons: guess, try it on a real network, see.",
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
    text="A before/after anyone can follow.",
)


def show() -> list[DeltaGenerator]:
    """The doors, before anything is known of the visitor; a place in each for `show_left_off`."""
    return draw((LEARN, PRUNE, SHOW), "doors")


def show_left_off(places: list[DeltaGenerator]) -> None:
    """Where the visitor left off behind each door, as far as that is known."""
    learn, prune, show = places
    newest, damaged = _listing()
    if lesson := _lesson():
        continue_at(learn, LeftOff(page=LEARN.page, words=lesson))
    if run := _last_run(newest):
        words, state = _words(run), _STATES.get(run.state)
        stands = f"{words} ({state})" if state else words
        continue_at(prune, LeftOff(page=PRUNE.page, words=stands, asks=(("run", run.name),)))
        if run.state == "done":
            words = f"{words}, against the original network"
            continue_at(show, LeftOff(page=SHOW.page, words=words, asks=(("b", run.name),)))
    unreadable.show(damaged)


_STATES = {"queued": "starting", "running": "still working", "cancelled": "cancelled", "failed": "failed"}


def _lesson() -> str:
    from pruning.lessons.library import course
    from pruning.lessons.progress import where_left_off
    from ui.learn import progress

    progress.sync()
    return where_left_off(course().lessons, progress.held())


def _words(run: Run | Summary) -> str:
    from pruning.catalog.samples import SAMPLE
    from pruning.runs.words import describe

    return f"{SAMPLE.choices().get(run.origin, run.network)}, {describe(run)}"


def _last_run(newest: Summary | None) -> Run | Summary | None:
    """The run that this session works on; else the newest of those there are."""
    from ui.session import shown_run

    return shown_run.shown() or newest


def _listing() -> tuple[Summary | None, tuple[Unreadable, ...]]:
    """The visitor's newest run, and the folders of theirs that cannot be read; nothing where the folder of runs cannot
    be read."""
    from pruning.runs.index.query import Query

    with errors.shown(stop=False):
        return next(iter(run_index.find(Query(limit=1)).runs), None), run_index.unreadable()
    return None, ()
