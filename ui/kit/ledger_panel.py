"""The truth ledger on a page: of the cut as the sliders stand, before any run, and of a finished run; and the device
that both are held against.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import ledger_table
from pruning.render.markup.result import footnote, ledger_html
from ui.kit import errors, lab, state

if TYPE_CHECKING:
    from pruning.cost.devices import Budget
    from pruning.cost.ledger import Ledger
    from pruning.latency.clock import Comparison
    from pruning.latency.steps import Steps
    from pruning.planning.plan import Plan
    from pruning.runs.result import Result
    from pruning.spec import PruneSpec
    from pruning.subject import Subject

DEVICE = "ledger_device"
"""NONE, OWN, or the place of a budget in `pruning.cost.devices.BUDGETS`."""
FLASH = "ledger_flash"
RAM = "ledger_ram"
"""KB of a device of the user's own."""
NONE, OWN = "none", "own"
state.DEFAULTS.update({DEVICE: NONE, FLASH: 512, RAM: 128})
_OPEN = "cut_ledger"


def panel(
    subject: Subject,
    cut: PruneSpec,
    timing: Comparison | None,
    steps: Steps | None = None,
    where: str = "",
) -> None:
    """The ledger of the cut in an expander. Its numbers are worked out once it is opened.

    `timing`: the cut against dense on the clock, if that was measured. `steps`: the times of the layers, if they
    were; they stand in for the clock. `where`: the engine or the machine that these are of, if another than usual.
    """
    box = st.expander(
        "All savings in detail: the ledger of this cut",
        icon=":material/balance:",
        key=_OPEN,
        on_change="rerun",
    )
    if not box.open:
        return
    with box, errors.shown(stop=False):
        budget = choose_device()
        st.html(cut_html(subject, cut, timing, steps, budget, where))


def cut_html(
    subject: Subject,
    cut: PruneSpec,
    timing: Comparison | None,
    steps: Steps | None = None,
    budget: Budget | None = None,
    where: str = "",
) -> str:
    """The ledger of a cut as HTML, from cached numbers. Raises InputError for settings that are not allowed."""
    from pruning.render.preview import clock_of, predicted_clock

    found = _of_cut(subject.identity, lab.key(subject, cut), subject, lab.plan(subject, cut))
    if timing is not None:
        found = replace(found, clocks=(clock_of(timing),))
    elif steps is not None and cut.info.shrinks:
        found = replace(found, clocks=(predicted_clock(steps, subject.graph, cut, where),))
    return ledger_table.html(found, pruned="this cut", budget=budget)


def finished(result: Result) -> None:
    """The ledger of a finished run, held against the device that was chosen."""
    st.html(ledger_html(result, device()))
    st.caption(errors.plain(footnote(result)))


def choose_device() -> Budget | None:
    """Draw the choice of a device; its budget, or None."""
    from pruning.cost.devices import BUDGETS

    which, flash, ram = st.columns([1.6, 1, 1], vertical_alignment="bottom")
    which.selectbox(
        "Does it fit a small device?",
        [NONE, *range(len(BUDGETS)), OWN],
        format_func=lambda place: {NONE: "no device", OWN: "sizes of your own"}.get(place) or BUDGETS[place].title,
        **state.bound(DEVICE),
    )
    if state.get(DEVICE) == OWN:
        flash.number_input("KB of flash", 1, 10**7, **state.bound(FLASH))
        ram.number_input("KB of RAM", 1, 10**7, **state.bound(RAM))
    return device()


def device() -> Budget | None:
    """The device that was chosen, on whichever page."""
    from pruning.cost.devices import BUDGETS, KB, Budget

    place = state.get(DEVICE)
    if place == NONE:
        return None
    if place == OWN:
        return Budget(flash=int(state.get(FLASH)) * KB, ram=int(state.get(RAM)) * KB)
    return BUDGETS[place]


@st.cache_data(show_spinner="Counting", max_entries=200)
def _of_cut(digest: str, key: str, _subject: Subject, _plan: Plan) -> Ledger:
    from pruning.render.preview import ledger_of

    return ledger_of(_subject, _plan)
