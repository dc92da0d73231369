"""The same images through both networks: how many answers changed, and the pictures behind that, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import answer_cards, verdict, waffle
from ui.compare import svg_panel
from ui.kit import errors

if TYPE_CHECKING:
    from pruning.compare.casualties import Case
    from pruning.compare.sides import Pair
    from pruning.data.protocol import Data
    from pruning.training.answers import Answers

MANY = 24
"""Pictures shown at first, and added by each press of the button."""
_SHOWN = "compare_shown"


def show(pair: Pair) -> None:
    """The denominator, all images as squares, then the pictures."""
    from pruning.compare.casualties import casualties, changes, rescued

    both = answers(pair)
    if both is None:
        return
    before, after = both
    counted = changes(before, after)
    if counted is None:
        st.info(f"{before.metric.title.capitalize()} counts no right and wrong answers.", icon=":material/info:")
        return
    st.html(verdict.answers_html(counted, pair))
    svg_panel.show(waffle.html(counted, pair.metric), css=waffle.STYLE, key="compare_waffle")
    st.caption("Every square is one test image; the changed answers come first. Test images are for looking at, "
               "not for tuning: whoever chooses settings by them has no honest figure left.")  # fmt: skip
    if (missing := pair.why_no_pictures) is not None:
        st.info(f"The pictures cannot be shown: {missing}.", icon=":material/info:")
        return
    data = pair.data()
    lost, won = casualties(before, after), rescued(before, after)
    gallery("Newly wrong", "Worst first: where the true class lost most probability.", lost, data, pair, "lost")
    gallery("Newly right", "First where the true class gained most.", won, data, pair, "won")


def answers(pair: Pair) -> tuple[Answers, Answers] | None:
    """Both networks' answers to the test images; where they were not kept, that is said and None given."""
    before, after = pair.before.answers, pair.after.answers
    if before is not None and after is not None:
        return before, after
    st.info(errors.plain(pair.why_no_answers or ""), icon=":material/info:")
    return None


def gallery(title: str, order: str, cases: Sequence[Case], data: Data, pair: Pair, key: str) -> None:
    """A heading with the count, and cards; more of them on demand."""
    st.markdown(f"### {title}: {len(cases):,}")
    if not cases:
        st.caption("None.")
        return
    st.caption(f"The picture's true class, and what each network says it is. {order}")
    counts = st.session_state.setdefault(_SHOWN, {})
    of = (pair.before.name, pair.after.name, key)
    many = counts.get(of, MANY)
    st.html(answer_cards.html(cases[:many], data))
    if many < len(cases) and st.button(f"Show {min(MANY, len(cases) - many)} more", key=f"compare_more_{key}"):
        counts[of] = many + MANY
        st.rerun()
