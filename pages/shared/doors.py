"""The three doors of the Start page, each of which says where its visitor left off, if that is known.

What is known is the visitor's own: the run and the plan of this session, the lessons that this browser has stored.
Only where the app runs on the visitor's own machine is the newest run of the runs folder theirs as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import errors

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.runs import Run


@dataclass(frozen=True, kw_only=True)
class Door:
    """A card that leads to a page."""

    page: str
    title: str
    icon: str
    text: str
    where: str = ""
    """Where the visitor left off, in a few words."""
    asks: tuple[tuple[str, str], ...] = ()
    """Parameters of the page's address."""


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
    text="Choose a network, cut it layer by layer, fine-tune what is left.",
)
SHOW = Door(
    page="pages/compare.py",
    title="Show",
    icon=":material/compare:",
    text="Before and after side by side, for people who know no pruning.",
)


def draw(place: DeltaGenerator, doors: tuple[Door, ...] = (LEARN, PRUNE, SHOW), key: str = "doors") -> None:
    """The doors side by side. `place`: an `st.empty()`."""
    with place.container(key=key):
        st.html(_STYLE)
        for column, door in zip(st.columns(len(doors), gap="small"), doors, strict=True):
            with column.container(border=True, gap=None, height="stretch"):
                st.page_link(door.page, label=f"**{door.title}**", icon=door.icon, query_params=dict(door.asks) or None)
                where = f"**Continue:** {errors.plain(door.where)}" if door.where else door.text
                st.markdown(where)


def draw_known(place: DeltaGenerator) -> None:
    """The doors again, with where the visitor left off."""
    draw(place, (_learn(), *_run_doors()), "doors_known")


def _learn() -> Door:
    from pages.shared.learn import progress, steps
    from pages.shared.learn.lessons import course

    progress.sync()
    lessons = course().lessons
    done = [steps.is_done(lesson) for lesson in lessons]
    if not any(done):
        return LEARN
    if all(done):
        return replace(LEARN, where=f"all {len(lessons)} lessons done; open any of them again")
    return replace(LEARN, where=f"lesson {done.index(False) + 1} of {len(lessons)}, {lessons[done.index(False)].title}")


def _run_doors() -> tuple[Door, Door]:
    from pages.shared.run_list import describe, network
    from sample_models import SAMPLES

    run = _last_run()
    if run is None:
        return PRUNE, SHOW
    sample = SAMPLES.get(network(run))
    words = f"{sample.title if sample else network(run)}, {describe(run)}"
    states = {"queued": "starting", "running": "still working", "cancelled": "cancelled", "failed": "failed"}
    stands = f" ({states[run.state]})" if run.state in states else ""
    prune = replace(PRUNE, where=words + stands, asks=(("run", run.name),))
    if run.result is None:
        return prune, SHOW
    return prune, replace(SHOW, where=f"{words}, against the uncut network", asks=(("b", run.name),))


def _last_run() -> Run | None:
    """The run that this session works on; else, on the visitor's own machine, the newest."""
    from pages.shared import run_panel
    from pruning.links import is_local
    from pruning.runs import list_runs

    run = run_panel.shown_run()
    if run is not None:
        return run
    return next(iter(list_runs()), None) if is_local(st.context.url or "") else None


# The link fills its card, so that all of it can be clicked and one stop of the Tab key leads to it.
_STYLE = """<style>
[class*=st-key-doors] [data-testid=stVerticalBlock]{position:relative}
[class*=st-key-doors] [data-testid=stPageLink] a{position:static;padding:0;background:none}
[class*=st-key-doors] [data-testid=stPageLink] p{font-size:1.07rem}
[class*=st-key-doors] [data-testid=stMarkdown] p{font-size:.93rem;line-height:1.4;opacity:.85}
[class*=st-key-doors] [data-testid=stVerticalBlock]:hover:has(a){
 background:color-mix(in srgb,currentColor 4%,transparent)}
[class*=st-key-doors] [data-testid=stElementContainer]{position:static}
[class*=st-key-doors] [data-testid=stPageLink] a::after{content:"";position:absolute;inset:0;z-index:1;
 border-radius:.55rem}
[class*=st-key-doors] [data-testid=stPageLink] a:focus-visible::after{outline:2px solid currentColor}
</style>"""
