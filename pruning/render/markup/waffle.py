"""Every image as one square, the changed answers first, with a legend that has the counts: an SVG and HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruning.compare.casualties import Changes
    from pruning.tasks.metric import Metric

COLUMNS = ((400, 50), (2000, 100), (12000, 250))
"""Most images → squares in a row; beyond that 500."""


def html(counted: Changes, metric: Metric | None = None) -> str:
    """Drawing and legend, in the words of a metric, by default accuracy's. `STYLE` goes along once."""
    from pruning.tasks.classification import ACCURACY

    metric = metric or ACCURACY
    columns = next((count for most, count in COLUMNS if counted.images <= most), 500)
    rows = -(-counted.images // columns)
    kinds = [
        ("lost", counted.newly_wrong, metric.lost),
        ("other", counted.otherwise or 0, metric.otherwise),
        ("won", counted.newly_right, metric.won),
        ("same", counted.same, "same answer" if counted.otherwise is not None else metric.kept),
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


STYLE = """
.wf{display:block;width:100%;height:auto}
.wf-same{fill:var(--dense);opacity:.35}.wf-lost{fill:var(--removed)}.wf-won{fill:var(--kept)}
.wf-other{fill:currentColor}
.wf-legend{display:flex;flex-wrap:wrap;gap:.2em 1.4em;margin-top:.5em;font-variant-numeric:tabular-nums}
.wf-legend i{display:inline-block;width:.8em;height:.8em;margin-right:.45em;border-radius:2px}
.wf-legend .wf-lost{background:var(--removed)}.wf-legend .wf-won{background:var(--kept)}
.wf-legend .wf-same{background:var(--dense)}.wf-legend .wf-other{background:currentColor}
"""
