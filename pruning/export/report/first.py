"""The first screen of a report: verdict, four figures, what they mean, and the author's recommendation."""

from __future__ import annotations

from html import escape

from pruning.base.words import amount, factor, milliseconds, percent, size
from pruning.compare.verdict import Tone
from pruning.cost.ledger import ZEROS_SEEN
from pruning.export.report.contents import Contents
from pruning.export.report.parts import metric_title, paragraphs, tile
from pruning.runs.result import TIMES_FOLLOW

NOT_YET = "not timed yet"


def first(contents: Contents) -> str:
    """All of it, as HTML without any script."""
    made = contents.made.strftime("%d %B %Y").lstrip("0")
    said = contents.verdict
    advice = ""
    if contents.recommendation:
        advice = (
            '<section class="advice" aria-labelledby="advice-title"><h2 id="advice-title">Recommendation</h2>'
            f"{paragraphs(contents.recommendation)}<p class='by'>In the words of the report’s author; every number "
            "elsewhere on this page was measured.</p></section>"
        )
    return (
        f'<header><p class="brand">Pruning Explorer · report of {escape(made)}</p><h1>{escape(contents.title)}</h1>'
        f'<p class="what">{escape(contents.subtitle)}. {escape(contents.network)}, {escape(_tested(contents))}.</p>'
        "</header>"
        f'<section aria-labelledby="verdict-title"><h2 id="verdict-title" class="unseen">Verdict</h2>'
        f'<p class="verdict"><strong>{escape(said.headline)}.</strong> {escape(said.rest)}</p>'
        f'<div class="tiles">{"".join(_tiles(contents))}</div></section>'
        f'<section class="meaning" aria-labelledby="meaning-title"><h2 id="meaning-title">What this means</h2>'
        f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in meaning(contents))}</ul></section>{advice}"
    )


def _tested(contents: Contents) -> str:
    """On what it was tested: 'tested on 1,000 images of MNIST'."""
    test = contents.result.pruned.test
    if test is None:
        return "not tested on any images"
    return f"tested on {test.images:,} images of {contents.info.title}"


def _tiles(contents: Contents) -> list[str]:
    dense, pruned = contents.result.dense, contents.result.pruned
    if contents.channels:
        name, fell = "Parameters", (dense.params, pruned.params)
    else:
        name, fell = "Non-zero parameters", (dense.nonzero, pruned.nonzero)
    return [
        _metric_tile(contents),
        tile(
            name,
            _fall(*fell),
            "measured",
            f"{amount(fell[0])} → {amount(fell[1])}",
            f"file {size(dense.bytes.raw)} → {size(pruned.bytes.raw)}",
        ),
        tile(
            "Multiplications",
            _fall(dense.macs, pruned.macs),
            "measured",
            f"{amount(dense.macs)} → {amount(pruned.macs)}",
            "for one image",
        ),
        _time_tile(contents),
    ]


def _metric_tile(contents: Contents) -> str:
    dense, pruned, metric = contents.result.dense.test, contents.result.pruned.test, contents.metric
    title = metric_title(metric)
    if dense is None or pruned is None:
        return tile(title, "not measured", None, "the run had no test images")
    return tile(
        title,
        metric.words(pruned.value),
        contents.badge,
        f"95 % interval {metric.bare_span(pruned.interval)}",
        f"before: {metric.words(dense.value)}, {metric.bare_span(dense.interval)}",
    )


def _time_tile(contents: Contents) -> str:
    speedup = contents.result.speedup()
    if speedup is None:
        return tile("Time of one image", _untimed(contents), None)
    times = [side.latency[speedup.batch].median for side in (contents.result.dense, contents.result.pruned)]
    return tile(
        "Time of one image",
        f"{speedup.middle:.2f}× as fast" if speedup.shows else "no measurable speed-up",
        "measured",
        f"95 % interval {speedup.low:.2f}–{speedup.high:.2f}×",
        f"{milliseconds(times[0])} → {milliseconds(times[1])}",
    )


def _untimed(contents: Contents) -> str:
    """Why there is no time. A report stays as it is: in it, none follow."""
    said = contents.result.untimed
    return NOT_YET if said == TIMES_FOLLOW else said


def meaning(contents: Contents) -> list[str]:
    """Sentences for a reader who knows no pruning; none claims more than the intervals show."""
    return [_answers(contents), _room(contents), _time(contents)]


def _answers(contents: Contents) -> str:
    difference = contents.facts.difference
    if difference is None:
        return "How often it errs is not known: the run had no test images with known answers."
    metric, tone = contents.metric, contents.verdict.tone
    if not metric.counts:
        ends = metric.signed_span(difference.interval)
        change = f"{metric.title.capitalize()} changed by {ends} {metric.unit_of_change} (95 % interval)."
        return f"{_TONES.get(tone, _TONES['same'])} {change}"
    low, high = difference.interval
    if not metric.judges:
        return _agreement(low, high, tone)
    expected = f"Among 1,000 other images of this kind expect {more_wrong(-1000 * high, -1000 * low)} (95 % interval)."
    if contents.verdict.tone == "worse":
        return f"The pruned network errs more often than the original. {expected}"
    if contents.verdict.tone == "better":
        return f"The pruned network errs less often than the original. {expected}"
    return f"By their errors on these images the two networks cannot be told apart. {expected}"


def _agreement(low: float, high: float, tone: Tone) -> str:
    """The same where nobody knows what is right. `low`, `high`: of the change of agreement, as fractions."""
    fewest, most = max(0.0, -1000 * high), max(0.0, -1000 * low)
    head = "The pruned network does not answer every image as the original does." if tone == "worse" else _TONES["same"]
    return (
        f"{head} Among 1,000 other images of this kind expect between {fewest:.0f} and {most:.0f} that it answers "
        "otherwise (95 % interval). The images have no labels: whether an answer is correct was not measured."
    )


_TONES = {
    "worse": "The pruned network answers worse than the original.",
    "better": "The pruned network answers better than the original.",
    "same": "By their answers on these images the two networks cannot be told apart.",
}


def more_wrong(low: float, high: float) -> str:
    """A span of additional wrong answers in words.

    >>> more_wrong(3.7, 18.3), more_wrong(-2.2, 6.1)
    ('between 4 and 18 more wrong answers', 'between 2 fewer and 6 more wrong answers')
    """
    if low >= 0:
        return f"between {low:.0f} and {high:.0f} more wrong answers"
    if high <= 0:
        return f"between {-high:.0f} and {-low:.0f} fewer wrong answers"
    return f"between {-low:.0f} fewer and {high:.0f} more wrong answers"


def _room(contents: Contents) -> str:
    dense, pruned = contents.result.dense, contents.result.pruned
    raw, sparse = size(pruned.bytes.raw), size(pruned.bytes.sparse)
    texts = []
    if pruned.params < dense.params:
        texts.append(
            f"Whole channels were removed, so the network is really smaller: its weights take {raw} instead of "
            f"{size(dense.bytes.raw)}, in any format and on any device."
        )
    zeros = 1 - pruned.nonzero / pruned.params
    if zeros >= ZEROS_SEEN:
        same = "" if texts else ", as large as before"
        texts.append(
            f"{percent(zeros, 0)} of its parameters are zero, but they keep their places: a plain file takes {raw}"
            f"{same}, a file that skips zeros {sparse}."
        )
    return " ".join(texts) or "Nothing was removed: the network is as large as before."


def _time(contents: Contents) -> str:
    spans = [
        f"{speedup.words} for {'one image' if speedup.batch == 1 else f'{speedup.batch} images at a time'}"
        for speedup in contents.result.speedups
    ]
    if not spans:
        return f"What the clock says is not known: {_untimed(contents)}."
    return f"The clock says: {'; '.join(spans)}. That was measured on one machine; another processor may differ."


def _fall(dense: int, pruned: int) -> str:
    return "unchanged" if dense == pruned else factor(dense, pruned)
