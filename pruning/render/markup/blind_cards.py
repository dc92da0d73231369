"""The blind test as HTML: what one network answers to a round's pictures, and, after the guess, what it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

from pruning.base.words import amount, percent, size
from pruning.render.markup import badges
from pruning.render.markup.pixels import photo

if TYPE_CHECKING:
    from pruning.compare.sides import Side
    from pruning.data.protocol import Data
    from pruning.render.figures.style import Palette
    from pruning.tasks.choices import Choices


def card(
    letter: str,
    name: str | None,
    answers: Choices,
    places: Sequence[int],
    data: Data,
    sample: Sequence[int],
    colours: Palette,
    named: Callable[[int], str],
) -> str:
    """The answers of one network to a round's pictures.

    `name`: what it is called, once that was guessed; wrong answers are marked only then. `places`: of the pictures
    among the answers. `sample`: for each answer the number of its select image. `named`: what an output stands for.
    """
    cells = "".join(_picture(answers, place, data, sample, named, judged=name is not None) for place in places)
    title = f"{letter}: {escape(name)}" if name else letter
    return f'<style>{_style(colours)}</style><div class="bl-head">{title}</div><div class="bl-row">{cells}</div>'


def facts(side: Side) -> str:
    """Metric and size of one network."""
    test = side.figures.test
    right = "Not measured on test images"
    if test is not None:
        metric = test.kind
        right = (
            f"<b>{escape(metric.words(test.value))}</b>{badges.badge(badges.of_metric(side.tuned))}&nbsp; "
            f"{'right' if metric.counts_right else escape(metric.title)} on {test.images:,} test images "
            f"({escape(metric.span(test.interval))})"
        )
    return (
        f"<style>{badges.STYLE}</style><div style='font-size:var(--text-note);line-height:1.5'>"
        f"{right}<br><b>{amount(side.figures.nonzero)}</b>"
        f"{badges.badge('measured')}&nbsp; weights that are not zero, {size(side.figures.bytes.raw)} in memory"
        f"{badges.badge('measured')}"
        "</div>"
    )


def _picture(
    answers: Choices, place: int, data: Data, sample: Sequence[int], named: Callable[[int], str], *, judged: bool
) -> str:
    answer, sure = named(int(answers.predicted[place])), float(answers.confidence[place])
    true = None if answers.labels is None else data.info.classes[int(answers.labels[place])]
    wrong = judged and true is not None and answer != true  # before the guess, look for yourself
    alt = f"image {int(sample[place])}" if true is None else f"an image of {true}"
    return (
        f'<figure class="bl-one{" bl-wrong" if wrong else ""}">'
        f'<img alt="{escape(alt)}" src="{photo(data.image("select", int(sample[place])))}">'
        f"<figcaption><b>{escape(answer)}</b><small>{percent(sure, 0)} sure</small>"
        f"{'<em>wrong</em>' if wrong else ''}</figcaption></figure>"
    )


def _style(colours: Palette) -> str:
    return f"""
.bl-head{{font-size:1.15rem;font-weight:var(--heavy);color:{colours.ink}}}
.bl-row{{display:grid;grid-template-columns:repeat(auto-fill,minmax(72px,1fr));gap:.5rem;margin-top:.4rem}}
.bl-one{{margin:0;text-align:center;border:1px solid {colours.line};border-radius:var(--corner-control);
 padding:.35rem .2rem}}
.bl-one img{{width:56px;height:56px;image-rendering:pixelated;border-radius:var(--corner);display:block;
 margin:0 auto .2rem}}
.bl-one b{{font-size:1.05rem;color:{colours.ink}}}
.bl-one small{{display:block;font-size:.82rem;color:{colours.soft}}}
.bl-wrong{{border:2px solid {colours.ink}}}
.bl-one em{{display:block;font-style:normal;font-size:.82rem;font-weight:var(--heavy);color:{colours.ink}}}
"""
