"""The parts of a report after its first screen."""

from __future__ import annotations

from html import escape

from pruning.base.words import percent
from pruning.export.report import charts
from pruning.export.report.contents import Contents
from pruning.export.report.parts import chart, folded, key, scroller, section, table
from pruning.render.markup.badges import Kind, badge, legend_of_badges
from pruning.render.markup.drawing import STYLE as DRAWING
from pruning.render.markup.drawing import drawing
from pruning.render.markup.result import footnote, ledger_html
from pruning.runs.repair_words import repair_words
from pruning.runs.result import Measurement

GLOSSARY = (
    ("network", "a program whose behaviour sits in many numbers, its weights, learnt from examples"),
    ("original", "the network as it was before anything was removed; the field says dense"),
    ("pruning", "removing what a network hardly needs: single weights, or whole channels"),
    ("channel", "one feature detector of a layer; with it go all weights that make it and all that read it"),
    ("MACs", "multiply-accumulates, the multiplications that one image costs; more of them usually take more time"),
    ("sparsity", "the share that was removed"),
    ("fine-tuning", "training on for a short time, so that what is left makes up for what is gone"),
    ("recalibrated", "only the running averages inside the network were measured anew; no weight was trained"),
    ("repaired", "weights were fitted so that layers give what they gave before, without labels and without training"),
    ("select and test images", "two separate sets: the first to choose by, the second looked at once, at the end"),
    ("95 % interval", "where the true value probably lies: of a hundred such intervals, about 95 hold it"),
    ("seed", "the number that fixes all random choices; another seed shows how much of a result is chance"),
)


def ledger(contents: Contents) -> str:
    """Every currency, dense beside pruned, with the sentences where they disagree."""
    return section(
        "ledger",
        "What was saved, and what was not",
        scroller(ledger_html(contents.result), "Ledger: original and pruned side by side"),
        f'<p class="small">{escape(footnote(contents.result))}</p>',
        lead="Size, multiplications and time are different currencies: what saves one need not save another.",
    )


def tradeoff(contents: Contents) -> str:
    """All runs of the same network and images, those with several seeds as a band."""
    groups, dense = contents.groups, contents.dense
    title = f"{contents.metric.title.capitalize()} against cost"
    if dense is None or not groups:
        lead = f"Nothing to draw: the run measured no {contents.metric.title} on test images."
        return section("tradeoff", title, lead=lead)
    count = sum(len(group.members) for group in groups)
    seeds = len(groups[0].members)
    better = "higher" if dense.metric.higher_is_better else "lower"
    lead = (
        f"Each mark is a finished run of {contents.network} on the same test images ({count} here); {better} and "
        "further left is better, on the speed axis further right."
        if count > 1
        else f"One run so far; with more runs this shows what {dense.metric.title} each further saving costs."
    )
    if contents.left_out:
        what = "run is" if contents.left_out == 1 else "runs are"
        lead += (
            f" Only the recipes with the best {dense.metric.title} are shown; {contents.left_out:,} more {what} not."
        )
    keys = [
        key("dense", "original"),
        key("kept", "this run (ringed)" if seeds == 1 else f"this run (ringed), its recipe with {seeds} seeds"),
    ]
    if any(len(group.members) > 1 for group in groups):
        keys.append(key("band", "from the lowest to the highest of several seeds"))
    if len(groups) > 1:
        keys.append(key("other", "other runs"))
    buttons = "".join(
        f'<label><input type="radio" name="axis" value="{name}"{" checked" if not place else ""}>'
        f"{escape(charts.AXES[name].short)}</label>"
        for place, name in enumerate(charts.axes(groups))
    )
    rows, marked = [], None
    rows.append(["original", "", *_reached(dense, "measured", speed=False)])
    for group in groups:
        for place, member in enumerate(group.members):
            if place == group.reported:
                marked = len(rows)
            kind: Kind = "tuned" if group.tuned else "measured"
            rows.append([escape(group.title), str(member.seed), *_reached(member, kind)])
    heads = (
        "what was done",
        "seed",
        f"{dense.metric.title} on test images",
        "parameters not zero",
        "MACs",
        "times as fast",
    )
    return section(
        "tradeoff",
        title,
        f'<fieldset class="scripted"><legend>Cost shown</legend>{buttons}</fieldset>',
        chart(
            "tradeoff-plot",
            charts.tradeoff(dense, groups),
            f"{''.join(keys)} Thin lines: 95 % intervals. Diamonds are fine-tuned.",
        ),
        folded(
            f"The {count} runs as a table" if count > 1 else "The numbers as a table",
            table(heads, rows, label="Runs", kinds="tnnnnn", html=True, marked=marked),
        ),
        lead=lead,
    )


def networks(contents: Contents) -> str:
    """Both networks to scale and layer by layer."""
    rows = []
    total = max(1, sum(pair.before.macs for pair in contents.layers if pair.before))
    for pair in contents.layers:
        before, after = pair.before, pair.after
        if before is None or after is None:
            continue
        rows.append(
            [
                pair.name,
                before.what,
                _change(before.channels, after.channels),
                _change(before.nonzero, after.nonzero),
                _change(before.macs, after.macs),
                percent(before.macs / total, 0),
            ]
        )
    heads = ("layer", "kind", "channels", "weights not zero", "MACs", "its share of the original's MACs")
    words = "Each block is a layer, as high as it has channels."
    if any(pair.gone for pair in contents.layers):
        words += " Orange above: the channels that go."
    if any(
        after.density < before.density for pair in contents.layers if (before := pair.before) and (after := pair.after)
    ):
        words += " Orange below: the share of weights that are zero now; they keep their places."
    return section(
        "networks",
        "The network before and after",
        f"<style>{DRAWING}</style>",
        f"<figure>{scroller(drawing(contents.layers, before='original', after='pruned'), 'Both networks to scale')}"
        f"<figcaption>{words}</figcaption></figure>",
        folded("Layer by layer", table(heads, rows, label="Layer by layer", kinds="ttnnnn"), open_first=False),
    )


def settings(contents: Contents) -> str:
    """What it takes to do it again, and where the numbers come from."""
    stages = contents.result.stages
    steps: tuple[tuple[str, Measurement | None, Kind], ...] = (
        ("right after the cut", stages.as_cut, "measured"),
        ("recalibrated", stages.recalibrated, "measured"),
        ("repaired (no training)", stages.repaired, "measured"),
        ("after fine-tuning", stages.finetuned, "tuned"),
    )
    rows = [[title, "not done" if found is None else f"{_words(found)}{badge(kind)}"] for title, found, kind in steps]
    origin = [[escape(title), escape(text)] for title, text in contents.origin]
    return section(
        "settings",
        "Settings and origin",
        f"<h3>On the way: {escape(contents.metric.title)} on select images</h3>",
        table(("stage", f"{contents.metric.title} (interval)"), rows, label="Stages", kinds="tt", html=True),
        "" if stages.repair is None else f'<p class="small">{escape(repair_words(stages.repair))}</p>',
        "<h3>Where the numbers come from</h3>",
        table(("what", "which"), origin, label="Origin", kinds="tt", html=True),
        folded(
            "The recipe",
            "<p>Saved as recipe.yaml, <code>python -m pruning prune --recipe recipe.yaml</code> does it all again.</p>"
            f'<pre tabindex="0">{escape(contents.recipe)}</pre>',
        ),
    )


def words() -> str:
    """The badges' legend and a few words explained."""
    entries = "".join(f"<dt>{escape(word)}</dt><dd>{escape(text)}</dd>" for word, text in GLOSSARY)
    return section("words", "Signs and words", legend_of_badges(), f"<dl>{entries}</dl>")


def _words(found: Measurement) -> str:
    return f"{found.kind.words(found.value)} ({found.kind.span(found.interval)})"


def _change(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,} → {after:,}"


def _reached(point: charts.Reached, kind: Kind, *, speed: bool = True) -> list[str]:
    timed = "not timed"
    if point.speed is not None:
        low, middle, high = point.speed
        timed = f"{middle:.2f} ({low:.2f}–{high:.2f}){badge('measured')}"
    return [
        f"{point.metric.words(point.value)} ({point.metric.span(point.interval)}){badge(kind)}",
        f"{point.nonzero:,}{badge('measured')}",
        f"{point.macs:,}{badge('measured')}",
        timed if speed else "",
    ]
