"""How a run wins accuracy back before it trains: the choice, with what each way does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.repair.kinds import REPAIRS, Repair
from ui.session.recipe import keep_training, training

if TYPE_CHECKING:
    from pruning.subject import Subject

TITLES: dict[Repair, str] = {
    "none": "none",
    "recalibrate": "recalibrate",
    "bias": "bias correction",
    "refit": "refit",
}
MEANINGS: dict[Repair, str] = {
    "none": "The network stays as it was cut.",
    "recalibrate": "Batch-norm statistics are measured anew, where there is batch norm.",
    "bias": "Each layer gets the mean output back that it had, if that is better than recalibrating.",
    "refit": "Each layer is fitted to give what it gave before the cut, if that is better than the others.",
}
"""In a few words, in the order of `REPAIRS`."""
_WIDGET = "prune_repair"


def show(chosen: Subject) -> None:
    """Draw the choice, folded away; what it says goes into `cuts.TRAINING`."""
    now: Repair = training(chosen)["repair"]
    with st.expander(f"Repair before fine-tuning: {TITLES[now]}", icon=":material/healing:"):
        found = st.radio(
            "After each cut, without training or labels",
            REPAIRS,
            REPAIRS.index(now),
            format_func=TITLES.__getitem__,
            captions=[MEANINGS[name] for name in REPAIRS],
            key=f"{_WIDGET}_{chosen.ref}_{chosen.data_name}_{now}",
        )
    if found is not None and found != now:
        keep_training(chosen, {"repair": found})
