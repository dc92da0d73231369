"""A comparison as slides for an audience, as HTML: verdict, networks, pictures, and the race as it was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pruning.base.words import factor, threads
from pruning.render.markup import waffle
from pruning.render.markup.badges import MEANINGS, SYMBOLS, Kind, of_clock, of_metric
from pruning.render.markup.pixels import photo
from pruning.render.markup.verdict import unbroken

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruning.compare.casualties import Case
    from pruning.compare.networks import LayerPair
    from pruning.compare.sides import Pair
    from pruning.data.protocol import Data
    from pruning.runs.result import Speedup

SECONDS = 6.0
"""How long the slower lane of the recorded race takes."""
CARDS = 8
"""Newly wrong pictures on one slide."""


def slides(pair: Pair, layers: Sequence[LayerPair]) -> list[str]:
    """Every slide; those whose facts are not known are left out. `layers`: of both networks."""
    found = [_verdict(pair), _networks(pair, layers), _pictures(pair), _race(pair)]
    return [slide for slide in found if slide]


def _verdict(pair: Pair) -> str:
    from pruning.compare.verdict import facts_of, verdict

    said = verdict(facts_of(pair))
    before, after = pair.before.figures, pair.after.figures
    size = (before.nonzero, after.nonzero) if pair.only_zeros else (before.params, after.params)
    speedup = pair.speedup(pair.batches[0]) if pair.batches else None
    clock = "–" if speedup is None else speedup.short.capitalize() + _badge(of_clock(speedup.estimated))
    numbers = [
        (_measured(pair), "right answers" if pair.metric.counts_right else pair.metric.title),
        (_counted(*size), "parameters not zero" if pair.only_zeros else "parameters"),
        (_counted(before.macs, after.macs), "multiplications"),
        (clock, "as fast, one image at a time" if speedup is None or speedup.shows else "speed, one image at a time"),
    ]
    cells = "".join(f"<div><b>{big}</b>{escape(word)}</div>" for big, word in numbers)
    return (
        f'<section class="slide verdict"><p class="soft">{escape(pair.before.heading)} → '
        f"{escape(pair.after.label)}</p>"
        f"<h2>{unbroken(said.headline)}</h2><p>{escape(said.rest)}</p>"
        f'<div class="numbers">{cells}</div></section>'
    )


def _measured(pair: Pair) -> str:
    """The metric of both."""
    before, after = pair.before, pair.after
    if before.figures.test is None or after.figures.test is None:
        return "–"
    # One badge where it says both.
    first = _badge(of_metric(before.tuned)) if before.tuned != after.tuned else ""
    metric = pair.metric
    values = [escape(metric.words(side.value)) for side in (before.figures.test, after.figures.test)]
    return f"{values[0].removesuffix(f' {metric.unit}')}{first} → {values[1]}{_badge(of_metric(after.tuned))}"


def _counted(before: int, after: int) -> str:
    return ("same" if before == after else factor(before, after)) + _badge("measured")


def _networks(pair: Pair, layers: Sequence[LayerPair]) -> str:
    from pruning.render.markup.drawing import HALL, STYLE, drawing

    image = drawing(layers, before=f"Before: {pair.before.heading}", after=f"After: {pair.after.label}", look=HALL)
    return (
        f'<section class="slide network"><style>{STYLE}</style><h2>The two networks, to scale</h2>'
        f'<div class="wide" tabindex="0" role="region" aria-label="Both networks">{image}</div>'
        '<p class="key"><span><i style="background:var(--kept)"></i>stays</span>'
        '<span><i style="background:var(--removed);opacity:.5"></i>removed</span>'
        "Each block is a layer, as high as it has channels.</p></section>"
    )


def _pictures(pair: Pair) -> str:
    from pruning.compare.casualties import changes
    from pruning.compare.galleries import galleries
    from pruning.compare.verdict import answers_sentence

    before, after = pair.before.answers, pair.after.answers
    if before is None or after is None:
        return ""
    counted = changes(before, after)
    if counted is None:
        return ""
    shown = galleries(before, after)[:1] if pair.why_no_pictures is None else ()
    cases = [case for gallery in shown for case in gallery.some(CARDS)]
    cards = "".join(_card(case, pair.data(), pair.after.subject.named) for case in cases)
    title = shown[0].worst if cases else ""
    return (
        f'<section class="slide pictures"><style>{waffle.STYLE}.wf-legend{{display:none}}</style>'
        f"<h2>{escape(answers_sentence(counted, pair))}</h2>{waffle.html(counted, pair.metric)}"
        f'<p class="soft">{title}</p><ul class="cards">{cards}</ul></section>'
    )


def _card(case: Case, data: Data, named: Callable[[int], str]) -> str:
    first, now = escape(named(case.before if case.label is None else case.label)), escape(named(case.after))
    shows = f"before “{first}”" if case.label is None else f"showing {first}"
    heading = f"“{first}”" if case.label is None else first  # what a network says, or what it is
    return (
        f'<li><img src="{photo(data.image("test", case.index))}" alt="Test image, {shows}">'
        f"<span><b>{heading}</b>now “{now}”</span></li>"
    )


def _race(pair: Pair) -> str:
    """Replayed from what was measured at the end of the run: said so, and nothing is claimed that it did not show."""
    speedup = pair.speedup(pair.batches[-1]) if pair.batches else None
    if speedup is None:
        return ""
    rate = 1000 * speedup.batch / pair.before.figures.latency[speedup.batch].median
    rates = (rate, rate * speedup.middle)
    images = max(1, round(min(rates) * SECONDS, -2 if min(rates) > 100 else 0))
    badge = _badge(of_clock(speedup.estimated))
    lanes = "".join(
        f'<div class="lane {side.kind}" data-rate="{value:.3f}"><div><span>{escape(side.label)} · '
        f'{value:,.0f} images a second{badge}</span><span class="count">0</span></div>'
        '<div class="bar"><i></i></div></div>'
        for side, value in zip((pair.before, pair.after), rates, strict=True)
    )
    return (
        f'<section class="slide"><h2>{unbroken(_race_title(speedup))}</h2>'
        f'<div class="race" data-images="{images:.0f}">{lanes}</div>'
        f'<p class="soft">{escape(_race_words(pair, speedup))}</p></section>'
    )


def _race_title(speedup: Speedup) -> str:
    if not speedup.shows:
        return "Same speed: who is in front is chance"
    return f"{speedup.middle:.1f}× as fast" if speedup.middle >= 1.05 else f"{speedup.middle:.2f}× as fast"


def _race_words(pair: Pair, speedup: Speedup) -> str:
    assert pair.after.run is not None and pair.after.run.result is not None, "what comes after is a run's"
    clock = pair.after.run.result.clock
    how = (
        "Worked out from two runs, each timed against the original" if speedup.estimated else "Both were timed in turn"
    )
    return (
        f"Recorded, not live ({speedup.low:.2f}–{speedup.high:.2f}×). {how} after the run: "
        f"{speedup.batch} images at a time, {clock.engine}, {threads(clock.threads)}."
    )


def _badge(kind: Kind) -> str:
    """In the slides' own look: they are drawn apart from the page and its styles."""
    meaning, symbol = MEANINGS[kind], SYMBOLS[kind]
    return f'<span class="badge {kind}" role="img" title="{meaning}" aria-label="{meaning}"><i>{symbol}</i></span>'
