"""Class by class: what accuracy became of each, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import badges, class_table
from ui.compare import pictures
from ui.kit import charts, state

if TYPE_CHECKING:
    from pruning.compare.sides import Pair
    from pruning.tasks.choices import Choices

MATRIX = "compare_matrix"
BEFORE, AFTER, CHANGE = "before", "after", "what changed"
state.DEFAULTS[MATRIX] = CHANGE


def show(pair: Pair) -> None:
    """The changes as a figure and as a table, and the confusion."""
    from pruning.compare.classes import per_class, summary
    from pruning.render.figures import compare as plots_compare

    both = pictures.answers(pair)
    if both is None:
        return
    first, second = both[0].choices, both[1].choices
    if first is None or second is None:
        st.info("These networks choose no class, so there is none to look at by itself.", icon=":material/info:")
        return
    if first.labels is None:
        st.info(
            "These images have no labels, so nobody knows which class each belongs to, and there is none to look at by "
            "itself. *Images* shows where the two networks differ.",
            icon=":material/info:",
        )
        return
    names = pair.after.subject.info.classes
    found = per_class(*both, names)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("### Accuracy by class, worst first")
        st.caption(summary(found))
        charts.show(
            st,
            plots_compare.class_changes(found, charts.dark()),
            key="compare_classes",
            alt=f"Change of accuracy of {len(found)} classes with 95 % intervals, worst first: the table has each",
        )
    with right:
        st.markdown("### Which class is taken for which")
        st.segmented_control(
            "Confusion", [BEFORE, AFTER, CHANGE], required=True, label_visibility="collapsed", **state.bound(MATRIX)
        )
        confusion((first, second), names, state.get(MATRIX))
    before, after, change = (badges.of_metric(tuned) for tuned in (pair.before.tuned, pair.after.tuned, pair.tuned))
    st.html(class_table.html(found, before=before, after=after, change=change))


def confusion(both: tuple[Choices, Choices], names: Sequence[str], which: str) -> None:
    """The chosen matrix."""
    from pruning.compare.classes import confusion as counted
    from pruning.render.figures import compare as plots_compare

    before, after = (counted(answers, len(names)) for answers in both)
    if which == CHANGE:
        figure = plots_compare.confusion_change(before, after, names, charts.dark())
        words = "Orange: mixed up more often than before. Blue: less often. On the diagonal, faint: right answers."
    else:
        figure = plots_compare.confusion(before if which == BEFORE else after, names, charts.dark())
        words = "Orange: how often the class on the left was answered wrongly as that above. Diagonal: right answers."
    charts.show(st, figure, key="compare_confusion", caption=words)
