"""The blind test: the answers of A and B to the same pictures. Which one is pruned? Then accuracy, size and speed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import amount, percent, size
from ui.compare import inner, picker
from ui.kit import badges, charts

if TYPE_CHECKING:
    from pruning.compare.blind import Exhibits
    from pruning.compare.sides import Pair, Side
    from pruning.data.protocol import Data
    from pruning.render.figures.style import Palette
    from pruning.tasks.choices import Choices

_TESTS = "compare_blind"
"""Digests of both networks → the test of this session."""


@dataclass
class Test:
    """The rounds of one session with one pair."""

    rounds: int = 0
    """Guessed."""
    right: int = 0
    seed: int = 0
    """Of the pictures of this round."""
    swapped: bool = False
    """Whether B is the first network."""
    guess: str | None = None
    """'A' or 'B', once guessed in this round."""

    def deal(self) -> None:
        """Begin a round: other pictures, and A and B by lot."""
        self.seed, self.swapped, self.guess = random.randrange(2**31), random.random() < 0.5, None

    @property
    def truth(self) -> str:
        """The letter of the second network."""
        return "A" if self.swapped else "B"

    def take(self, letter: str) -> None:
        """A guess; the first of a round counts."""
        if self.guess is None:
            self.guess = letter
            self.rounds += 1
            self.right += letter == self.truth


def show(pair: Pair, data: Data) -> None:
    """One round: the cards, the guess, what they are."""
    from pruning.compare.blind import choose_exhibits, tally
    from pruning.render.figures.style import palette

    word = inner.names(pair)[1]
    test = _test(pair)
    with st.spinner("Asking both networks"):
        answers = (inner.answers(pair.before.subject), inner.answers(pair.after.subject))
    first, second = (some.choices for some in answers)
    if first is None or second is None:
        st.info("There is no blind test: these networks choose no class.", icon=":material/info:")
        return
    exhibits = choose_exhibits(*answers, test.seed)
    st.markdown(f"### Blind test: which of the two is {_the(word)}?")
    st.caption(_about(exhibits))
    order = (1, 0) if test.swapped else (0, 1)
    colours = palette(charts.dark())
    for place, letter, number in zip(st.columns(2, gap="medium"), "AB", order, strict=True):
        with place, st.container(border=True, key=f"compare_blind_{letter}", gap="small"):
            shown = word if test.guess and letter == test.truth else inner.names(pair)[0] if test.guess else None
            st.html(_card(letter, shown, (first, second)[number], exhibits, data, colours))
            if test.guess is None:
                st.button(f"{letter} is {_the(word)}", key=f"compare_guess_{letter}", on_click=test.take,
                          args=(letter,), width="stretch")  # fmt: skip
            else:
                st.html(_facts((pair.before, pair.after)[number]))
    if test.guess is None:
        if test.rounds:
            st.caption(tally(test.right, test.rounds))
        return
    right = test.guess == test.truth
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        verdict = f"**Right: {test.truth} is {_the(word)}.**" if right else f"**No: {test.truth} is {_the(word)}.**"
        st.markdown(f"{verdict} {_speed(pair)}\n\n{tally(test.right, test.rounds)}")
        st.button("Another round", key="compare_blind_next", on_click=test.deal, icon=":material/refresh:")


def _test(pair: Pair) -> Test:
    tests: dict[tuple[str, str], Test] = st.session_state.setdefault(_TESTS, {})
    key = (pair.before.subject.digest, pair.after.subject.digest)
    if key not in tests:
        tests[key] = Test()
        tests[key].deal()
    return tests[key]


def _the(word: str) -> str:
    return "the pruned one" if word == "pruned" else "“after”"


def _about(exhibits: Exhibits) -> str:
    total = f"of {exhibits.images:,} select images"
    if not exhibits.different_in_all:
        return f"{len(exhibits.index)} pictures {total}. The two give the same answer to every one of them."
    return (
        f"{len(exhibits.index)} pictures {total}. {exhibits.different} of them are here because the answers differ, "
        f"which they do on {exhibits.different_in_all} {total} ●: these few pictures are no fair sample."
    )


def _card(letter: str, name: str | None, answers: Choices, exhibits: Exhibits, data: Data, colours: Palette) -> str:
    """The answers of one network to the round's pictures."""
    sample = data.subset("select", inner.IMAGES)
    cells = []
    for place in exhibits.index:
        answer, sure = inner.answer_name(answers, place, data), float(answers.confidence[place])
        true = data.info.classes[int(answers.labels[place])]
        wrong = name is not None and answer != true  # before the guess, look for yourself
        cells.append(
            f'<figure class="bl-one{" bl-wrong" if wrong else ""}">'
            f'<img alt="a picture of {escape(true)}" src="{picker.photo(data.image("select", int(sample[place])))}">'
            f"<figcaption><b>{escape(answer)}</b><small>{percent(sure, 0)} sure</small>"
            f"{'<em>wrong</em>' if wrong else ''}</figcaption></figure>"
        )
    title = f"{letter}: {escape(name)}" if name else letter
    return (
        f'<style>{_style(colours)}</style><div class="bl-head">{title}</div><div class="bl-row">{"".join(cells)}</div>'
    )


def _facts(side: Side) -> str:
    """Metric and size of one network."""
    test = side.figures.test
    right = "Not measured on test images"
    if test is not None:
        badge = badges.badge("tuned" if side.tuned else "measured")
        metric = test.kind
        right = (
            f"<b>{escape(metric.words(test.value))}</b>{badge}&nbsp; "
            f"{'right' if metric.counts else escape(metric.title)} on {test.images:,} test images "
            f"({escape(metric.span(test.interval))})"
        )
    return (
        f"<style>{badges.STYLE}</style><div style='font-size:.93rem;line-height:1.5'>"
        f"{right}<br><b>{amount(side.figures.nonzero)}</b>"
        f"{badges.badge('measured')}&nbsp; weights that are not zero, {size(side.figures.bytes.raw)} in memory"
        f"{badges.badge('measured')}"
        "</div>"
    )


def _speed(pair: Pair) -> str:
    from pruning.latency.clock import verdict

    found = [pair.speedup(batch) for batch in pair.batches]
    known = [some for some in found if some is not None]
    if not known:
        return ""
    said = [f"{verdict(some.span)} at batch {some.batch} {'○' if some.estimated else '●'}" for some in known]
    return f"{inner.names(pair)[1].capitalize()} against {inner.names(pair)[0]}: {'; '.join(said)}."


def _style(colours: Palette) -> str:
    return f"""
.bl-head{{font-size:1.15rem;font-weight:650;color:{colours.ink}}}
.bl-row{{display:grid;grid-template-columns:repeat(auto-fill,minmax(72px,1fr));gap:.5rem;margin-top:.4rem}}
.bl-one{{margin:0;text-align:center;border:1px solid {colours.line};border-radius:.5rem;padding:.35rem .2rem}}
.bl-one img{{width:56px;height:56px;image-rendering:pixelated;border-radius:.3rem;display:block;margin:0 auto .2rem}}
.bl-one b{{font-size:1.05rem;color:{colours.ink}}}
.bl-one small{{display:block;font-size:.82rem;color:{colours.soft}}}
.bl-wrong{{border:2px solid {colours.ink}}}
.bl-one em{{display:block;font-style:normal;font-size:.82rem;font-weight:650;color:{colours.ink}}}
"""
