"""Class by class: what accuracy became of each, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import percent
from ui.compare import pictures, top
from ui.kit import badges, charts, state

if TYPE_CHECKING:
    from pruning.compare.classes import ClassChange
    from pruning.compare.sides import Pair
    from pruning.tasks.choices import Choices

MATRIX = "compare_matrix"
BEFORE, AFTER, CHANGE = "before", "after", "what changed"
state.DEFAULTS[MATRIX] = CHANGE


def show(pair: Pair) -> None:
    """The changes as a figure and as a table, and the confusion."""
    from pruning.compare.classes import per_class
    from pruning.data.readers import describe_data
    from pruning.render.figures import compare as plots_compare

    both = pictures.answers(pair)
    if both is None:
        return
    first, second = both[0].choices, both[1].choices
    if first is None or second is None:
        st.info("These networks choose no class, so there is none to look at by itself.", icon=":material/info:")
        return
    names = describe_data(pair.data_name).classes
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
    st.html(table(found, top.side_badge(pair.before), top.side_badge(pair.after), top.metric_badge(pair)))


def summary(found: Sequence[ClassChange]) -> str:
    """What the intervals show, and how much of it may be chance."""
    from pruning.compare.classes import by_chance

    told = sum(change.shows for change in found)
    if not told:
        return "No class's change can be told from chance: every 95 % interval holds zero."
    chance = by_chance(found)
    often = "less than 1 %" if chance < 0.01 else f"about {percent(chance, 0)}"
    return (
        f"In {told} of {len(found)} classes the 95 % interval leaves zero out (coloured). Were all changes mere luck, "
        f"at least one class would be coloured in {often} of comparisons."
    )


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


def table(found: Sequence[ClassChange], first: badges.Kind, second: badges.Kind, changed: badges.Kind) -> str:
    """Every class with both accuracies and the change, as HTML."""
    from pruning.compare.verdict import points, signed

    rows = "".join(
        f"<tr><th scope='row'>{escape(change.name)}</th><td>{change.images:,}</td>"
        f"<td>{percent(change.before_accuracy)}{badges.badge(first)}</td>"
        f"<td>{percent(change.after_accuracy)}{badges.badge(second)}</td>"
        f"<td>{signed(100 * change.difference.value)} <small>({points(change.difference)})</small>"
        f"{badges.badge(changed)}</td>"
        f"<td>{change.difference.newly_wrong}</td><td>{change.difference.newly_right}</td></tr>"
        for change in found
    )
    heads = ("class", "test images", "before", "after", "change, points", "newly wrong", "newly right")
    return (
        f"<style>{badges.STYLE}{STYLE}</style><div class='px-scroll' tabindex='0' role='region' "
        "aria-label='Accuracy by class'><table class='px-classes'>"
        f"<thead><tr>{''.join(f'<th scope=col>{head}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


STYLE = """
.px-scroll{overflow-x:auto}
.px-classes{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.93rem}
.px-classes th,.px-classes td{text-align:right;padding:.3rem .6rem;border:0;font-weight:400;white-space:nowrap;
 border-top:1px solid color-mix(in srgb,currentColor 15%,transparent)}
.px-classes thead th{border-top:0;font-size:.87rem;opacity:.8}
.px-classes th:first-child{text-align:left;padding-left:0}
.px-classes tbody th{font-weight:600}
.px-classes small{opacity:.8}
"""
