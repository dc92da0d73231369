"""Present mode (`?present=1`): the comparison as slides over the whole window, for an audience; nothing to set.

Arrow keys or Next step through them, Esc or Leave ends it. Letters have at least 24 pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.base.words import ratio, threads
from ui.compare import networks, pictures, top
from ui.kit import badges
from ui.kit.component import component

if TYPE_CHECKING:
    from pruning.compare.sides import Pair
    from pruning.runs.result import Speedup

_PARAMETER = "present"
KEY = "compare_slides"
FRAME = """
<dialog aria-label="Presentation"><div class="stage" aria-live="polite"></div>
<nav><span class="place soft"></span><button class="leave">Leave</button><button class="next">Next</button></nav>
</dialog>
"""
SECONDS = 6.0
"""How long the slower lane of the recorded race would need."""
CARDS = 8


def is_on() -> bool:
    """Whether the address asks for it."""
    return bool(st.query_params.get(_PARAMETER) == "1")


def start() -> None:
    """Present from now on."""
    st.query_params[_PARAMETER] = "1"


def leave() -> None:
    """Back to the page."""
    st.query_params.pop(_PARAMETER, None)


def show(pair: Pair) -> None:
    """Draw the slides."""
    html = "".join(slides(pair))
    _component()(key=KEY, data={"html": html, "key": f"{len(html)}-{hash(html)}"}, on_leave_change=leave)


def slides(pair: Pair) -> list[str]:
    """Every slide as HTML; those whose facts are not known are left out."""
    found = [_verdict(pair), _networks(pair), _pictures(pair), _race(pair)]
    return [slide for slide in found if slide]


def _verdict(pair: Pair) -> str:
    from pruning.compare.verdict import facts_of, verdict

    said = verdict(facts_of(pair))
    before, after = pair.before.figures, pair.after.figures
    zeros = before.params == after.params and before.nonzero != after.nonzero
    size = (before.nonzero, after.nonzero) if zeros else (before.params, after.params)
    speedup = pair.speedup(pair.batches[0]) if pair.batches else None
    clock = "–" if speedup is None else f"{speedup.middle:.2f}×" if speedup.shows else "≈ 1×"
    timed = "" if speedup is None else _badge("estimated" if speedup.estimated else "measured")
    counted = _badge("measured")
    numbers = [
        (_measured(pair), "right answers" if pair.metric.counts else pair.metric.title),
        (_ratio(*size) + counted, "parameters not zero" if zeros else "parameters"),
        (_ratio(before.macs, after.macs) + counted, "multiplications"),
        (clock + timed, "as fast, one image"),
    ]
    cells = "".join(f"<div><b>{big}</b>{escape(word)}</div>" for big, word in numbers)
    return (
        f'<section class="slide verdict"><p class="soft">{escape(networks.named(pair.before))} → '
        f"{escape(pair.after.label)}</p>"
        f"<h2>{top.whole(said.headline)}</h2><p>{escape(said.rest)}</p>"
        f'<div class="numbers">{cells}</div></section>'
    )


def _measured(pair: Pair) -> str:
    """The metric of both, as HTML."""
    before, after = pair.before, pair.after
    if before.figures.test is None or after.figures.test is None:
        return "–"
    first = _badge(top.side_badge(before)) if before.tuned != after.tuned else ""  # one badge where it says both
    metric = pair.metric
    values = [escape(metric.words(side.value)) for side in (before.figures.test, after.figures.test)]
    return f"{values[0].removesuffix(f' {metric.unit}')}{first} → {values[1]}{_badge(top.side_badge(after))}"


def _networks(pair: Pair) -> str:
    from pruning.compare.drawing import HALL, STYLE, drawing

    pairs = networks.layers(pair)
    image = drawing(
        pairs, before=f"Before: {networks.named(pair.before)}", after=f"After: {pair.after.label}", look=HALL
    )
    return (
        f'<section class="slide network"><style>{STYLE}</style><h2>The two networks, to scale</h2>'
        f'<div class="wide" tabindex="0" role="region" aria-label="Both networks">{image}</div>'
        '<p class="key"><span><i style="background:var(--kept)"></i>stays</span>'
        '<span><i style="background:var(--removed);opacity:.5"></i>removed</span>'
        "Each block is a layer, as high as it has channels.</p></section>"
    )


def _pictures(pair: Pair) -> str:
    from pruning.compare.casualties import casualties, changes
    from pruning.compare.verdict import answer_words, things_of

    before, after = pair.before.answers, pair.after.answers
    if before is None or after is None:
        return ""
    counted = changes(before, after)
    if counted is None:
        return ""
    said = answer_words(counted, things_of(pair.data_name))
    cases = casualties(before, after)[:CARDS] if pictures.not_shown(pair, before) is None else []
    cards = "".join(_card(case, pair) for case in cases)
    title = "The worst of the newly wrong" if cases else ""
    return (
        f'<section class="slide pictures"><style>{pictures.WAFFLE}.wf-legend{{display:none}}</style>'
        f"<h2>{escape(said[:1].upper() + said[1:])}.</h2>{pictures.waffle(counted)}"
        f'<p class="soft">{title}</p><ul class="cards">{cards}</ul></section>'
    )


def _card(case: Any, pair: Pair) -> str:
    from pruning.compare.casualties import png

    data = pair.data()
    truth, now = (data.info.classes[n] if n >= 0 else "no answer" for n in (case.label, case.after))
    return (
        f'<li><img src="{png(data.image("test", case.index))}" alt="Test image, showing {escape(truth)}">'
        f"<span><b>{escape(truth)}</b>now “{escape(now)}”</span></li>"
    )


def _race(pair: Pair) -> str:
    """Replayed from what was measured at the end of the run: said so, and nothing is claimed that it did not show."""
    speedup = pair.speedup(pair.batches[-1]) if pair.batches else None
    if speedup is None:
        return ""
    batch = speedup.batch
    rate = 1000 * batch / pair.before.figures.latency[batch].median
    rates = (rate, rate * speedup.middle)
    images = max(1, round(min(rates) * SECONDS, -2 if min(rates) > 100 else 0))
    badge = _badge("estimated" if speedup.estimated else "measured")
    lanes = "".join(
        f'<div class="lane {side.kind}" data-rate="{value:.3f}"><div><span>{escape(side.label)} · '
        f'{value:,.0f} images a second{badge}</span><span class="count">0</span></div>'
        '<div class="bar"><i></i></div></div>'
        for side, value in zip((pair.before, pair.after), rates, strict=True)
    )
    return (
        f'<section class="slide"><h2>{top.whole(_race_title(speedup))}</h2>'
        f'<div class="race" data-images="{images:.0f}">{lanes}</div>'
        f'<p class="soft">{escape(_race_words(pair, speedup))}</p></section>'
    )


def _race_title(speedup: Speedup) -> str:
    if not speedup.shows:
        return "No measurable speed-up: who is in front is chance"
    return f"{speedup.middle:.1f}× as fast" if speedup.middle >= 1.05 else f"{speedup.middle:.2f}× as fast"


def _race_words(pair: Pair, speedup: Speedup) -> str:
    assert pair.after.run is not None and pair.after.run.result is not None, "what comes after is a run's"
    result = pair.after.run.result
    how = "Worked out from two runs, each timed against dense" if speedup.estimated else "Both were timed in turn"
    return (
        f"Recorded, not live ({speedup.low:.2f}–{speedup.high:.2f}×). {how} when the run ended: "
        f"{speedup.batch} images at a time, {result.engine}, {threads(result.threads)}."
    )


def _ratio(before: int, after: int) -> str:
    if before == after:
        return "same"
    return ratio(before, max(1, after)) if after < before else f"× {after / max(1, before):.2f}"


def _badge(kind: str) -> str:
    meaning, symbol = badges.MEANINGS[kind], badges.SYMBOLS[kind]  # type: ignore[index]
    return f'<span class="badge {kind}" role="img" title="{meaning}" aria-label="{meaning}"><i>{symbol}</i></span>'


@cache
def _component() -> Callable[..., Any]:
    folder = Path(__file__).parent
    return component("pruning_present", folder, html=FRAME, css="present.css", js=("present.js",))
