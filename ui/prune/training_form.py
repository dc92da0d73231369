"""How one's own images are learnt from: optimiser, batch size, augmentation, distillation. Each begins with what suits
the network and the images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.data.augmentations import AUGMENTATIONS, NONE
from ui.session.recipe import keep_training, training

if TYPE_CHECKING:
    from pruning.subject import Subject

OPTIMISERS = {"sgd": "SGD", "adamw": "AdamW"}
_WIDGET = "prune_training_form"


def show(chosen: Subject) -> None:
    """Draw the form; what it says goes into `cuts.TRAINING`."""
    now = training(chosen)
    key = f"{_WIDGET}_{chosen.ref}_{chosen.data_name}_{hash(tuple(sorted(map(str, now.items())))):x}"
    found: dict[str, Any] = {
        "optimiser": st.segmented_control(
            "Optimiser", list(OPTIMISERS), format_func=OPTIMISERS.__getitem__, default=now.get("optimiser", "sgd"),
            required=True, key=f"{key}_optimiser",
        ),
        "batch_size": st.number_input("Images in a batch", 2, 10_000, int(now["batch_size"]), key=f"{key}_batch"),
    }  # fmt: skip
    given = [name for name in str(now.get("augment", NONE)).split(",") if name in AUGMENTATIONS]
    names = st.multiselect(
        "Training images are changed at random",
        list(AUGMENTATIONS),
        given,
        format_func=lambda name: f"{name}: {AUGMENTATIONS[name].explanation}",
        placeholder="not at all",
        key=f"{key}_augment",
    )
    found["augment"] = ",".join(name for name in AUGMENTATIONS if name in names) or NONE
    if chosen.info.labelled:
        share = st.slider(
            "Learn from the unpruned network's answers (distillation)",
            0,
            100,
            round(100 * (now.get("distillation") or 0)),
            10,
            format="%d %%",
            key=f"{key}_distillation",
            help="Share of the loss that is the distance to its answers; the rest is the distance to the labels.",
        )
        found["distillation"] = share / 100 if share else None
    else:
        st.caption("Without labels all of it is learnt from the unpruned network's answers (distillation).")
    if any(found[name] != now.get(name) for name in found):
        keep_training(chosen, found)
