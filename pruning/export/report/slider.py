"""Uniform cuts that were measured beforehand: a slider where scripts run, a drawing and a table everywhere."""

from __future__ import annotations

from html import escape

from pruning.base.words import amount, percent, ratio
from pruning.criteria import find_criterion
from pruning.export.report import charts
from pruning.export.report.contents import Contents
from pruning.export.report.parts import chart, folded, key, metric_title, section, table
from pruning.export.report.plans import UniformPlan
from pruning.render.markup.badges import badge
from pruning.sensitivity import FIGURES, FigureName
from pruning.training.evaluate import Evaluation

MARKS: dict[FigureName, str] = {"as_cut": "dashed", "recalibrated": "dashed again"}
"""Of lines in a chart, behind that of the furthest figure."""


def slider(contents: Contents) -> str:
    """Uniform cuts, measured beforehand: a slider where scripts run, a table everywhere."""
    plans, removed = contents.plans, "channels" if contents.channels else "weights"
    if not plans:
        return section(
            "slider",
            f"What if more, or fewer, {removed} were removed?",
            lead="Not measured: the run had no images to try other cuts on.",
        )
    images = plans[0].as_cut.images
    figures = charts.lines_of(plans)
    start = contents.result.recipe.prune.sparsity
    place = min(range(len(plans)), key=lambda number: abs(plans[number].sparsity - start))
    shown = slider_entries(contents)[place]
    outputs = "".join(
        f'<div class="tile"><h3>{escape(title)}</h3><b data-field="{name}">{escape(shown[name])}</b>'
        f'{badge("measured")}<span data-field="{name}_note">{escape(shown[f"{name}_note"])}</span></div>'
        for name, title in _fields(contents)
    )
    mark = f"&nbsp;{badge('measured')}"
    heads = [
        "removed",
        *(f"{FIGURES[name]}{mark}" for name in figures),
        "parameters not zero",
        "MACs",
    ]
    rows = [
        [
            percent(plan.sparsity, 0),
            *(_figure(getattr(plan, name)) for name in figures),
            f"{plan.nonzero:,}",
            f"{plan.macs:,}",
        ]
        for plan in plans
    ]
    caption = [key(MARKS[name] if name != figures[-1] else "line", FIGURES[name]) for name in reversed(figures)]
    caption += [key("dotted", "original")]
    for own in contents.own_points:
        caption.append(key("ink square" if own.shape == "square" else "ink", f"this run, {own.words}"))
    coarse = (
        " Repaired from few images here, so that the run's own repair may differ a little."
        if figures[-1] == "repaired"
        else ""
    )
    return section(
        "slider",
        f"What if more, or fewer, {removed} were removed?",
        f'<div class="scripted slide"><label for="share">Share of the {removed} removed from every layer</label>'
        f'<input type="range" id="share" min="0" max="{len(plans) - 1}" value="{place}" step="1" '
        f'aria-valuetext="{escape(shown["said"])}"><output for="share" data-field="share">{escape(shown["share"])}'
        f'</output></div><div class="scripted tiles">{outputs}</div>',
        chart(
            "uniform-plot",
            charts.uniform(plans, start, contents.own_points, removed),
            f"{''.join(caption)} Shaded: 95 % interval.",
        ),
        folded("The same as a table", table(heads, rows, label="Uniform cuts", html=True)),
        lead=f"Measured beforehand on {images:,} select images, {removed} chosen by "
        f"{find_criterion(contents.result.recipe.prune.criterion).title}, before any "
        f"fine-tuning, which wins much of a loss back.{coarse}",
    )


def slider_entries(contents: Contents) -> list[dict[str, str]]:
    """What the slider shows at each of its places, as text: the script does no arithmetic."""
    return [_entry(plan, contents.plans[0], contents.channels) for plan in contents.plans]


def _entry(plan: UniformPlan, dense: UniformPlan, channels: bool) -> dict[str, str]:
    best = plan.best
    count = "params" if channels else "nonzero"
    fell = [(getattr(dense, name), getattr(plan, name)) for name in (count, "macs")]
    texts = ["unchanged" if a == b else ratio(a, max(1, b)) for a, b in fell]
    share = percent(plan.sparsity, 0)
    metric, value = best.metric, best.metric.words(best.value)
    said = f"{value} right" if metric.counts_right else f"{metric.title} {value}"
    how = FIGURES[plan.furthest] if plan.sparsity else "nothing removed"
    again = plan.line("recalibrated")
    return {
        "x": f"{100 * plan.sparsity:g}",
        "share": share,
        "metric": metric.words(best.value),
        "metric_note": f"{metric.span(best.interval)}, {how}",
        "cut": metric.words(plan.as_cut.value),
        "cut_note": metric.span(plan.as_cut.interval),
        "again": metric.words(again.value),
        "again_note": metric.span(again.interval),
        "size": texts[0],
        "size_note": f"{amount(fell[0][0])} → {amount(fell[0][1])}",
        "macs": texts[1],
        "macs_note": f"{amount(fell[1][0])} → {amount(fell[1][1])}",
        "said": f"{share} removed: {said}, {how}",
    }


def _fields(contents: Contents) -> list[tuple[str, str]]:
    before = charts.lines_of(contents.plans)[:-1]
    return [
        ("metric", metric_title(contents.metric)),
        *([("again", "Recalibrated")] if "recalibrated" in before else []),
        *([("cut", "As cut")] if before else []),
        ("size", "Parameters" if contents.channels else "Non-zero parameters"),
        ("macs", "Multiplications"),
    ]


def _figure(found: Evaluation | None) -> str:
    return f"{found.metric.words(found.value)} ({found.metric.span(found.interval)})" if found is not None else "–"
