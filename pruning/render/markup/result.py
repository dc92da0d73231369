"""A finished run in words and as a table, from its figures alone; what was not measured is said. No Streamlit here."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pruning.base.words import moment, ratio, threads
from pruning.latency.noise import TOO_NOISY
from pruning.render.ledger_lines import Cell, Line, plain
from pruning.render.markup import badges, ledger_table

if TYPE_CHECKING:
    from pruning.cost.devices import Budget
    from pruning.runs.result import Change, Measurement, Result

NO_TEST = "not measured on test images"


def points(change: Change) -> str:
    """The paired difference as a loss or gain: 'lost 0.6 points (0.1–1.1)', 'worse by 0.20 px (0.05–0.35)'."""
    metric, unit = change.kind, change.kind.unit_of_change
    low, high = metric.gains(change.interval)
    size = f"{metric.size(change.value)} {unit}".rstrip()
    span = f"({'–'.join(sorted(map(metric.size, (low, high)), key=float))})"
    if low > 0:
        return f"gained {size} {span}" if metric.counts else f"better by {size} {span}"
    if high < 0:
        return f"lost {size} {span}" if metric.counts else f"worse by {size} {span}"
    ends = metric.signed_span(change.interval)
    return f"no measurable loss ({f'{metric.signed(change.value)} {unit}'.rstrip()}, {ends})"


def kind(result: Result) -> badges.Kind:
    """The badge of a run's accuracies: measured, or measured after fine-tuning."""
    return badges.of_metric(result.tuned)


def verdict(result: Result) -> str:
    """A run in one line: '◆ lost 0.6 points (0.1–1.1) · parameters ÷ 3.9 · 1.8× as fast (1.7–1.9)'."""
    dense, pruned, speedup = result.dense, result.pruned, result.speedup()
    if result.recipe.prune.info.shrinks:
        size = f"parameters {ratio(dense.params, pruned.params)}"
    else:
        size = f"non-zero parameters {ratio(dense.nonzero, max(1, pruned.nonzero))}"
    parts = [
        NO_TEST if result.difference is None else points(result.difference),
        size,
        _untimed(result.untimed) if speedup is None else speedup.words,
    ]
    return f"{badges.SYMBOLS[kind(result)]} {' · '.join(parts)}"


def _untimed(why: str) -> str:
    return f"time {why}" if why == TOO_NOISY else why


def stages_html(result: Result) -> str:
    """The figures on select images, from the cut on, as a small table."""
    from pruning.runs.repair_words import no_gain_words, repair_words

    stages = result.stages
    cells = _cells(
        ("as cut", stages.as_cut, "measured"),
        ("recalibrated", stages.recalibrated, "measured"),
        ("repaired", stages.repaired, "measured"),
        ("fine-tuned", stages.finetuned, "tuned"),
    )
    said = [] if stages.repair is None else [repair_words(stages.repair), no_gain_words(stages)]
    how = "".join(f'<p class="px-how">{escape(text)}</p>' for text in said if text)
    return f"{_STYLE}{cells}{how}"


def test_html(result: Result) -> str:
    """The figures on test images, dense and pruned, as a small table; '' where there are none."""
    if result.pruned.test is None:
        return ""
    return _STYLE + _cells(("dense", result.dense.test, "measured"), ("pruned", result.pruned.test, kind(result)))


def select_caption(result: Result) -> str:
    """What `stages_html` is of: 'Accuracy on 1,000 select images (dense ● 99.4 %, 98.7–99.7 %)'; '' where nothing was
    measured on them."""
    found, dense = result.stages.as_cut, result.dense_select
    if found is None:
        return ""
    of = "" if dense is None else f" (dense ● {dense.kind.words(dense.value)}, {dense.kind.span(dense.interval)})"
    return f"{found.kind.title.capitalize()} on {found.images:,} select images{of}"


def test_caption(result: Result) -> str:
    """What `test_html` is of: 'Accuracy on 1,000 test images, looked at 3 times', where looks were counted; '' where
    nothing was measured on them."""
    from pruning.runs.looks import looked_at

    found = result.pruned.test
    if found is None:
        return ""
    looked = "" if result.looks is None else f", {looked_at(result.looks)}"
    return f"{found.kind.title.capitalize()} on {found.images:,} test images{looked}"


def _cells(*shown: tuple[str, Measurement | None, badges.Kind]) -> str:
    """A row of figures with their badges and intervals, each above its title."""
    cells = []
    for title, found, badge in shown:
        if found is not None:
            text = f"<b>{escape(found.kind.words(found.value))}</b>{badges.badge(badge)}"
            small = escape(found.kind.span(found.interval))
        else:
            text, small = "<b>–</b>", "not done"
        cells.append(f"<div>{text}<small>{title}<br>{small}</small></div>")
    return f'<div class="px-stages">{"".join(cells)}</div>'


def ledger_html(result: Result, budget: Budget | None = None) -> str:
    """Dense and pruned side by side, every number with its badge; the test figures first."""
    from pruning.runs.ledger import ledger_of_result

    return ledger_table.html(ledger_of_result(result), head=metric_lines(result), budget=budget)


def footnote(result: Result) -> str:
    """How it was measured, and the proof of the removal."""
    check = result.check
    proof = {
        "exact": f"The removal is exact, proven against: {check.reference}.",
        "not_comparable": f"The removal could not be compared: {check.reason}.",
    }.get(check.status, f"The removal was refused: {check.reason}.")
    return f"{proof} {_timed(result)} The whole run took {result.seconds:.0f} s. Intervals are 95 % intervals."


def _timed(result: Result) -> str:
    """How the times were taken, or why there are none."""
    from pruning.runs.result import NOT_TIMED

    clock = result.clock
    machine = f"{clock.engine}, {threads(clock.threads)}, torch {clock.torch}"
    noisy = " and ".join(map(str, clock.noisy))
    without = f" Batch {noisy}: {TOO_NOISY}." if noisy and result.speedups else ""
    if not result.speedups:
        said = "No time was taken" if result.untimed == NOT_TIMED else f"No time: {result.untimed}"
        return f"{said}; {machine}."
    at = "" if clock.at is None else f", {moment(clock.at)}"
    return f"Time: {machine}; dense and pruned timed in turn{at}.{without}"


def metric_lines(result: Result) -> list[Line]:
    """The test figures as lines on top of the ledger; one that says so where there are none."""
    dense, pruned, change = result.dense.test, result.pruned.test, result.difference
    if dense is None or pruned is None or change is None:
        title = f"{result.metric_title.capitalize()} on test images"
        return [plain(title, "–", "–", "not measured: the run had no test images")]
    tuned = kind(result)
    metric = change.kind
    words = f"{metric.signed(change.value)} {metric.unit_of_change}"
    rows = [
        Line(
            title=f"{metric.title.capitalize()} on {pruned.images:,} {pruned.role} images",
            cells=(
                _figure(dense, "measured"),
                _figure(pruned, tuned),
                Cell(text=words, small=f"({metric.signed_span(change.interval)})", kind=tuned),
            ),
        )
    ]
    paired = change.paired
    if paired.newly_wrong is not None and paired.newly_right is not None:
        same = pruned.images - paired.newly_wrong - paired.newly_right
        changed = f"{paired.newly_wrong:,} {metric.lost}, {paired.newly_right:,} {metric.won}"
        cells = (Cell(), Cell(text=f"{same:,} {metric.kept}", kind=tuned), Cell(text=changed, kind=tuned))
        rows.append(Line(title="Answers, against dense", cells=cells))
    return rows


def _figure(found: Measurement, kind: badges.Kind) -> Cell:
    """With its interval."""
    return Cell(text=found.kind.words(found.value), small=f"({found.kind.span(found.interval)})", kind=kind)


_STYLE = f"""<style>{badges.STYLE}
.px-stages{{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;white-space:nowrap;font-variant-numeric:tabular-nums}}
.px-how{{margin:.4rem 0 0;opacity:var(--faint);font-size:var(--text-small)}}
.px-stages b{{font-size:1.25rem;font-weight:var(--heavy)}}
.px-stages small{{display:block;opacity:var(--faint);font-size:var(--text-small)}}
</style>"""
