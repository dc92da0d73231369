"""The first screen of a report: verdict, four figures, what they mean, and the author's recommendation."""

from __future__ import annotations

from html import escape

from pruning.base.words import amount, interval, milliseconds, percent, ratio
from pruning.cost.ledger import ZEROS_SEEN, size
from pruning.export.report.contents import Contents
from pruning.export.report.parts import paragraphs, tile
from pruning.latency.clock import verdict as timed


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
        f'<p class="what">{escape(contents.subtitle)}. {escape(contents.network)}, tested on '
        f"{contents.changes.images:,} images of {escape(contents.info.title)}.</p></header>"
        f'<section aria-labelledby="verdict-title"><h2 id="verdict-title" class="unseen">Verdict</h2>'
        f'<p class="verdict"><strong>{escape(said.headline)}.</strong> {escape(said.rest)}</p>'
        f'<div class="tiles">{"".join(_tiles(contents))}</div></section>'
        f'<section class="meaning" aria-labelledby="meaning-title"><h2 id="meaning-title">What this means</h2>'
        f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in meaning(contents))}</ul></section>{advice}"
    )


def _tiles(contents: Contents) -> list[str]:
    dense, pruned = contents.result["dense"], contents.result["pruned"]
    count, name = ("params", "Parameters") if contents.channels else ("nonzero", "Non-zero parameters")
    low, middle, high = contents.result["speedup"]["1"]
    times = [side["latency_ms"]["1"]["median"] for side in (dense, pruned)]
    shows = low > 1 or high < 1
    return [
        tile(
            "Right answers",
            percent(pruned["accuracy"]),
            contents.badge,
            f"95 % interval {interval(tuple(pruned['accuracy_interval']))[:-2]}",
            f"before: {percent(dense['accuracy'])}, {interval(tuple(dense['accuracy_interval']))[:-2]}",
        ),
        tile(
            name,
            _fall(dense[count], pruned[count]),
            "measured",
            f"{amount(dense[count])} → {amount(pruned[count])}",
            f"file {size(dense['bytes']['raw'])} → {size(pruned['bytes']['raw'])}",
        ),
        tile(
            "Multiplications",
            _fall(dense["macs"], pruned["macs"]),
            "measured",
            f"{amount(dense['macs'])} → {amount(pruned['macs'])}",
            "for one image",
        ),
        tile(
            "Time of one image",
            f"{middle:.2f}× as fast" if shows else "no measurable speed-up",
            "measured",
            f"95 % interval {low:.2f}–{high:.2f}×",
            f"{milliseconds(times[0])} → {milliseconds(times[1])}",
        ),
    ]


def meaning(contents: Contents) -> list[str]:
    """Sentences for a reader who knows no pruning; none claims more than the intervals show."""
    return [_answers(contents), _room(contents), _time(contents)]


def _answers(contents: Contents) -> str:
    difference = contents.facts.difference
    assert difference is not None, "a run always counts it"
    low, high = difference.interval
    expected = f"Among 1,000 other images of this kind expect {more_wrong(-1000 * high, -1000 * low)} (95 % interval)."
    if contents.verdict.tone == "worse":
        return f"The pruned network errs more often than the original. {expected}"
    if contents.verdict.tone == "better":
        return f"The pruned network errs less often than the original. {expected}"
    return f"By their errors on these images the two networks cannot be told apart. {expected}"


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
    dense, pruned = contents.result["dense"], contents.result["pruned"]
    raw, sparse = size(pruned["bytes"]["raw"]), size(pruned["bytes"]["sparse"])
    texts = []
    if pruned["params"] < dense["params"]:
        texts.append(
            f"Whole channels were removed, so the network is really smaller: its weights take {raw} instead of "
            f"{size(dense['bytes']['raw'])}, in any format and on any device."
        )
    zeros = 1 - pruned["nonzero"] / max(1, pruned["params"])
    if zeros >= ZEROS_SEEN:
        same = "" if texts else ", as large as before"
        texts.append(
            f"{percent(zeros, 0)} of its parameters are zero, but they keep their places: a plain file takes {raw}"
            f"{same}, a file that skips zeros {sparse}."
        )
    return " ".join(texts) or "Nothing was removed: the network is as large as before."


def _time(contents: Contents) -> str:
    spans = [
        f"{timed(tuple(span))} for {'one image' if batch == '1' else f'{batch} images at a time'}"
        for batch, span in contents.result["speedup"].items()
    ]
    return f"The clock says: {'; '.join(spans)}. That was measured on one machine; another processor may differ."


def _fall(dense: int, pruned: int) -> str:
    return "unchanged" if dense == pruned else ratio(dense, max(1, pruned))
