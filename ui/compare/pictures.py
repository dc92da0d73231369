"""The same images through both networks: how many answers changed, and the pictures behind that, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import answer_cards, verdict, waffle
from ui.compare import svg_panel
from ui.kit import errors

if TYPE_CHECKING:
    from pruning.compare.galleries import Gallery
    from pruning.compare.sides import Pair
    from pruning.training.answers import Answers

MANY = 24
"""Pictures shown at first, and added by each press of the button."""
_SHOWN = "compare_shown"


def show(pair: Pair) -> None:
    """The denominator, all images as squares, then the pictures."""
    from pruning.compare.casualties import changes
    from pruning.compare.galleries import galleries

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
        st.info(f"The images cannot be shown: {missing}.", icon=":material/info:")
        return
    if pair.after.subject.task.choices is not None and None in (before.choices, after.choices):
        st.info(
            "There are no images to show: the run is from before answers to images without labels were kept one by "
            "one. Run its recipe again to have them.",
            icon=":material/info:",
        )
        return
    for gallery in galleries(before, after):
        _show(gallery, pair)


def answers(pair: Pair) -> tuple[Answers, Answers] | None:
    """Both networks' answers to the test images; where they were not kept, that is said and None given."""
    before, after = pair.before.answers, pair.after.answers
    if before is not None and after is not None:
        return before, after
    st.info(errors.plain(pair.why_no_answers or ""), icon=":material/info:")
    return None


def _show(gallery: Gallery, pair: Pair) -> None:
    """A heading with the count, and cards; more of them on demand."""
    st.markdown(f"### {gallery.title}: {gallery.total:,}")
    if not gallery.total:
        st.caption("None.")
        return
    st.caption(f"{gallery.about} {gallery.order}")
    counts = st.session_state.setdefault(_SHOWN, {})
    of = (pair.before.name, pair.after.name, gallery.key)
    many, total = counts.get(of, MANY), gallery.total
    st.html(answer_cards.html(gallery.some(many), pair.data(), pair.after.subject.named))
    if many < total and st.button(f"Show {min(MANY, total - many)} more", key=f"compare_more_{gallery.key}"):
        counts[of] = many + MANY
        st.rerun()
