"""The same images through both networks: how many answers changed, and the pictures behind that, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import percent
from ui.compare import markup, top
from ui.kit import badges, errors

if TYPE_CHECKING:
    from pruning.compare.casualties import Case, Changes
    from pruning.compare.sides import Pair
    from pruning.data.protocol import Data
    from pruning.training.answers import Answers

MANY = 24
"""Pictures shown at first, and added by each press of the button."""
_SHOWN = "compare_shown"


def show(pair: Pair) -> None:
    """The denominator, all images as squares, then the pictures."""
    from pruning.compare.casualties import casualties, changes, rescued
    from pruning.compare.verdict import answer_words, things_of

    both = answers(pair)
    if both is None:
        return
    before, after = both
    counted = changes(before, after)
    if counted is None:
        st.info(f"{before.metric.title.capitalize()} counts no right and wrong answers.", icon=":material/info:")
        return
    said = answer_words(counted, things_of(pair.data_name))
    st.html(
        f"<style>{badges.STYLE}</style><p style='font-size:1.1rem;margin:0'><b>{escape(said[:1].upper() + said[1:])}."
        f"</b>{badges.badge(top.metric_badge(pair))}</p>"
    )
    markup.show(waffle(counted), css=WAFFLE, key="compare_waffle")
    st.caption("Every square is one test image; the changed answers come first. Test images are for looking at, "
               "not for tuning: whoever chooses settings by them has no honest figure left.")  # fmt: skip
    if (missing := not_shown(pair, before)) is not None:
        st.info(f"The pictures cannot be shown: {missing}.", icon=":material/info:")
        return
    data = pair.data()
    lost, won = casualties(before, after), rescued(before, after)
    gallery("Newly wrong", "Worst first: where the true class lost most probability.", lost, data, pair, "lost")
    gallery("Newly right", "First where the true class gained most.", won, data, pair, "won")


def not_shown(pair: Pair, answers: Answers) -> str | None:
    """Why the pictures behind the answers cannot be shown; None where they can."""
    if pair.missing is not None:
        return pair.missing
    if pair.data().digest != answers.data_digest:
        return "the images on this machine are not those that the run was tested on"
    return None


def answers(pair: Pair) -> tuple[Answers, Answers] | None:
    """Both networks' answers to the test images; where they were not kept, that is said and None given."""
    before, after = pair.before.answers, pair.after.answers
    if before is not None and after is not None:
        return before, after
    if pair.after.figures.test is None:
        st.info("The run had no test images, so there are no answers to show.", icon=":material/info:")
        return None
    names = " and ".join(
        dict.fromkeys(
            (side.run.name if side.run else "dense")
            for side, kept in ((pair.before, before), (pair.after, after))
            if kept is None
        )
    )
    st.info(
        f"The answers image by image were not kept for: {errors.plain(names)}. That run is from before they were; the "
        "figures above are from its result. Run its recipe again to have them.",
        icon=":material/info:",
    )
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
    st.html(cards(cases[:many], data, before="before", after="after"))
    if many < len(cases) and st.button(f"Show {min(MANY, len(cases) - many)} more", key=f"compare_more_{key}"):
        counts[of] = many + MANY
        st.rerun()


def cards(cases: Sequence[Case], data: Data, *, before: str, after: str) -> str:
    """Pictures with what they show and both answers, each with its confidence."""
    return (
        f"<style>{CARDS}</style><ul class='px-cards'>{''.join(_card(case, data, before, after) for case in cases)}</ul>"
    )


def _card(case: Case, data: Data, before: str, after: str) -> str:
    from pruning.compare.casualties import png

    def answer(word: str, number: int, confidence: float) -> str:
        name = data.info.classes[number] if number >= 0 else "no answer"
        right = number == case.label
        mark = "right" if right else "wrong"
        return (
            f'<span class="px-{mark}"><small>{escape(word)}</small><b>{escape(name)}</b>'
            f"<small>{percent(confidence, 0)} sure</small></span>"
        )

    truth = escape(data.info.classes[case.label])
    return (
        f'<li><img src="{png(data.image("test", case.index))}" alt="Test image {case.index}, showing {truth}">'
        f"<div><strong>{truth}</strong>{answer(before, case.before, case.before_confidence)}"
        f"{answer(after, case.after, case.after_confidence)}</div></li>"
    )


def waffle(counted: Changes) -> str:
    """Every image as one square, the changed ones first, with a legend that has the counts."""
    columns = next((c for limit, c in ((400, 50), (2000, 100), (12000, 250)) if counted.images <= limit), 500)
    rows = -(-counted.images // columns)
    kinds = [
        ("lost", counted.newly_wrong, "newly wrong"),
        ("other", counted.otherwise or 0, "wrong in another way"),
        ("won", counted.newly_right, "newly right"),
        ("same", counted.same, "same answer" if counted.otherwise is not None else "right or wrong as before"),
    ]
    paths, legend, start = [], [], 0
    for kind, count, words in kinds:
        paths.append(f'<path class="wf-{kind}" d="{_squares(start, count, columns)}"/>')
        start += count
        if count:
            legend.append(f'<span><i class="wf-{kind}"></i>{count:,} {words}</span>')
    return (
        f'<svg class="wf" viewBox="0 0 {columns} {rows}" role="img" aria-label="{counted.images:,} images: '
        f'{", ".join(f"{count:,} {words}" for _, count, words in kinds if count)}">{"".join(paths)}</svg>'
        f'<div class="wf-legend">{"".join(legend)}</div>'
    )


def _squares(start: int, count: int, columns: int) -> str:
    """Squares number `start` and the `count` − 1 after it, row by row."""
    return "".join(f"M{n % columns}.1 {n // columns}.1h.8v.8h-.8z" for n in range(start, start + count))


WAFFLE = """
.wf{display:block;width:100%;height:auto}
.wf-same{fill:var(--dense);opacity:.35}.wf-lost{fill:var(--removed)}.wf-won{fill:var(--kept)}
.wf-other{fill:currentColor}
.wf-legend{display:flex;flex-wrap:wrap;gap:.2em 1.4em;margin-top:.5em;font-variant-numeric:tabular-nums}
.wf-legend i{display:inline-block;width:.8em;height:.8em;margin-right:.45em;border-radius:2px}
.wf-legend .wf-lost{background:var(--removed)}.wf-legend .wf-won{background:var(--kept)}
.wf-legend .wf-same{background:var(--dense)}.wf-legend .wf-other{background:currentColor}
"""
CARDS = """
.px-cards{list-style:none;margin:.2rem 0 0!important;padding:0!important;display:grid;gap:.6rem;
 grid-template-columns:repeat(auto-fill,minmax(262px,1fr));font-variant-numeric:tabular-nums}
.px-cards li{display:flex;gap:.7rem;margin:0!important;padding:.5rem;border-radius:.65rem;
 background:color-mix(in srgb,currentColor 5%,transparent)}
.px-cards img{width:84px;height:84px;image-rendering:pixelated;border-radius:.35rem;flex:none;align-self:center}
.px-cards strong{display:block;font-size:1.05rem;line-height:1.2;margin-bottom:.15rem}
.px-cards span{display:grid;grid-template-columns:2.9em auto;column-gap:.3em;line-height:1.25;align-items:baseline}
.px-cards span b{font-weight:600;overflow-wrap:anywhere}
.px-cards small{font-size:.82rem;opacity:.8}
.px-cards span small:last-child{grid-column:2}
.px-cards .px-wrong b::before{content:"✗ "}.px-cards .px-right b::before{content:"✓ "}
@media (max-width:500px){.px-cards{grid-template-columns:1fr 1fr}.px-cards li{flex-direction:column}}
"""
