"""A finished run in words and as a table, from its result.json alone. No Streamlit here: HTML and text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pruning.base.words import interval, percent, ratio, threads
from pruning.granularity import find_granularity
from pruning.render.markup import badges, ledger_table

if TYPE_CHECKING:
    from pruning.cost.devices import Budget

Result = Mapping[str, Any]


def points(difference: Mapping[str, Any]) -> str:
    """The paired difference as a loss or gain in points: 'lost 0.6 points (0.1–1.1)'."""
    change = 100 * difference["accuracy"]
    low, high = sorted(100 * end for end in difference["interval"])
    if low > 0:
        return f"gained {change:.1f} points ({low:.1f}–{high:.1f})"
    if high < 0:
        return f"lost {-change:.1f} points ({-high:.1f}–{-low:.1f})"
    return f"no measurable loss ({_signed(change)} points, {_signed(low)} to {_signed(high)})"


def kind(result: Result) -> badges.Kind:
    """The badge of a run's accuracies: measured, or measured after fine-tuning."""
    return "tuned" if result["stages"]["finetuned"] else "measured"


def verdict(result: Result) -> str:
    """A run in one line: '◆ lost 0.6 points (0.1–1.1) · parameters ÷ 3.9 · 1.8× as fast (1.7–1.9)'."""
    dense, pruned = result["dense"], result["pruned"]
    smaller = find_granularity(result["recipe"]["granularity"]).shrinks
    count, name = ("params", "parameters") if smaller else ("nonzero", "non-zero parameters")
    parts = [
        points(result["difference"]),
        f"{name} {ratio(dense[count], max(1, pruned[count]))}",
        str(result["verdict"]["1"]),
    ]
    return f"{badges.SYMBOLS[kind(result)]} {' · '.join(parts)}"


def stages_html(result: Result) -> str:
    """The three accuracies on select images as a small table."""
    names = (("as_cut", "as cut", "measured"), ("recalibrated", "recalibrated", "measured"),
             ("finetuned", "fine-tuned", "tuned"))  # fmt: skip
    cells = []
    for stage, title, badge in names:
        value = result["stages"][stage]
        if value:
            text = f"<b>{percent(value['accuracy'])}</b>{badges.badge(badge)}"  # type: ignore[arg-type]
            small = interval(tuple(value["accuracy_interval"]))
        else:
            text, small = "<b>–</b>", "not done"
        cells.append(f"<div>{text}<small>{title}<br>{small}</small></div>")
    return f'{_STYLE}<div class="px-stages">{"".join(cells)}</div>'


def ledger_html(result: Result, budget: Budget | None = None) -> str:
    """Dense and pruned side by side, every number with its badge; accuracy first."""
    from pruning.cost.ledger import of_result

    dense, pruned = result["dense"], result["pruned"]
    tuned = kind(result)
    difference = result["difference"]
    same = pruned["images"] - difference["newly_wrong"] - difference["newly_right"]
    low, high = (100 * end for end in difference["interval"])
    head = [
        ledger_table.row(
            f"Accuracy on {pruned['images']:,} {pruned['role']} images",
            _accuracy(dense, "measured"),
            _accuracy(pruned, tuned),
            f"{_signed(100 * difference['accuracy'])} points <small>({_signed(low)} to {_signed(high)})</small>"
            + badges.badge(tuned),
        ),
        ledger_table.row(
            "Answers, against dense",
            "",
            f"{same:,} right or wrong as <span class='px-whole'>before{badges.badge(tuned)}</span>",
            f"{difference['newly_wrong']:,} newly wrong, {difference['newly_right']:,} newly right"
            + badges.badge(tuned),
        ),
    ]
    return ledger_table.html(of_result(result), head=head, budget=budget)


def footnote(result: Result) -> str:
    """How it was measured, and the proof of the removal."""
    check = result["check"]
    proof = {
        "exact": f"The removal is exact, proven against: {check['reference']}.",
        "not_comparable": f"The removal could not be compared: {check['reason']}.",
    }.get(check["status"], f"The removal was refused: {check['reason']}.")
    return (
        f"{proof} Time: {result['engine']}, {threads(result['threads'])}, torch {result['torch']}; dense and pruned "
        f"timed in turn. The whole run took {result['seconds']:.0f} s. Intervals are 95 % intervals."
    )


def _accuracy(side: Mapping[str, Any], kind: badges.Kind) -> str:
    """With its interval, whose badge does not stand alone in the next line."""
    span = f"<small>({interval(tuple(side['accuracy_interval']))})</small>"
    return f'{percent(side["accuracy"])} <span class="px-whole">{span}{badges.badge(kind)}</span>'


def _signed(value: float) -> str:
    """'+0.3', '−0.6', '0.0'."""
    text = f"{abs(value):.1f}"
    return text if float(text) == 0 else ("+" if value > 0 else "−") + text


_STYLE = f"""<style>{badges.STYLE}
.px-stages{{display:grid;grid-template-columns:repeat(3,auto);gap:.3rem 1.4rem;justify-content:start;
 font-variant-numeric:tabular-nums}}
.px-stages b{{font-size:1.25rem;font-weight:650}}.px-stages small{{display:block;opacity:.75;font-size:.87rem}}
</style>"""
