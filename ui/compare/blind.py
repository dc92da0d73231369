"""The blind test: the answers of A and B to the same pictures. Which one is pruned? Then accuracy, size and speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import blind_cards
from ui.compare import cached
from ui.kit import charts

if TYPE_CHECKING:
    from pruning.compare.blind import BlindTest
    from pruning.compare.sides import Pair
    from pruning.data.protocol import Data

_TESTS = "compare_blind"
"""Digests of both networks → the test of this session."""


def show(pair: Pair, data: Data) -> None:
    """One round: the cards, the guess, what they are."""
    from pruning.compare.blind import choose_exhibits
    from pruning.compare.verdict import clock_words
    from pruning.render.figures.style import palette

    other, word = pair.names
    test = _test(pair)
    with st.spinner("Asking both networks"):
        answers = (cached.answers(pair.before.subject), cached.answers(pair.after.subject))
    first, second = (some.choices for some in answers)
    if first is None or second is None:
        st.info("There is no blind test: these networks choose no class.", icon=":material/info:")
        return
    exhibits = choose_exhibits(*answers, test.seed)
    wanted = "the pruned one" if word == "pruned" else "“after”"
    st.markdown(f"### Blind test: which of the two is {wanted}?")
    st.caption(exhibits.words)
    sample = data.subset("select", cached.IMAGES).tolist()
    colours = palette(charts.dark())
    for place, letter, number in zip(st.columns(2, gap="medium"), "AB", test.order, strict=True):
        with place, st.container(border=True, key=f"compare_blind_{letter}", gap="small"):
            name = None if not test.guess else word if letter == test.truth else other
            said, names = (first, second)[number], pair.after.subject.named
            st.html(blind_cards.card(letter, name, said, exhibits.index, data, sample, colours, names))
            if test.guess is None:
                st.button(f"{letter} is {wanted}", key=f"compare_guess_{letter}", on_click=test.take,
                          args=(letter,), width="stretch")  # fmt: skip
            else:
                st.html(blind_cards.facts((pair.before, pair.after)[number]))
    if test.guess is None:
        if test.rounds:
            st.caption(test.tally)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        verdict = f"**{'Right' if test.guess == test.truth else 'No'}: {test.truth} is {wanted}.**"
        st.markdown(f"{verdict} {clock_words(pair)}\n\n{test.tally}")
        st.button("Another round", key="compare_blind_next", on_click=test.deal, icon=":material/refresh:")


def _test(pair: Pair) -> BlindTest:
    from pruning.compare.blind import BlindTest

    tests: dict[tuple[str, str], BlindTest] = st.session_state.setdefault(_TESTS, {})
    key = (pair.before.subject.digest, pair.after.subject.digest)
    if key not in tests:
        tests[key] = BlindTest()
        tests[key].deal()
    return tests[key]
