"""What a repair without training gave: on all select images, and class by class."""

from __future__ import annotations

from html import escape

from pruning.compare import repaired_words as said
from pruning.compare.repaired import RepairGain, was_repaired
from pruning.export.report.contents import Contents
from pruning.export.report.parts import folded, section, table
from pruning.export.report.repair_drawing import MOST, drawing
from pruning.render.markup import repair_table
from pruning.runs.repair_words import in_short

FEW = 20
"""Classes whose table stands open."""


def repaired(contents: Contents) -> str:
    """The part of a run that repaired; '' for any other."""
    note = contents.result.stages.repair
    if note is None or not was_repaired(contents.result):
        return ""
    found = contents.repair
    parts = [] if found is None else [f"<p><b>{escape(said.headline(found))}</b></p>"]
    if found is None:
        parts.append(f'<p class="small">{escape(said.OLDER)}</p>')
    elif not found.classes:
        parts.append(f'<p class="small">{escape(said.NO_CLASSES)}</p>')
    else:
        parts.append(_classes(found))
    return section("repair", "What repair gave", *parts, lead=in_short(note))


def _classes(found: RepairGain) -> str:
    stages = [name for name in found.stages if name != "recalibrated"]  # a sheet has no room for more
    rows = [repair_table.cells(one, stages, "<br>") for one in found.classes]
    all_of = table(repair_table.heads(found, stages), rows, label="What repair gave, by class", html=True)
    count = len(rows)
    return (
        f"<h3>Who gained, and who still loses</h3><p>{escape(said.who_gained(found))}</p>"
        f"<p>{escape(said.who_still_loses(found))}</p><figure>{drawing(found)}</figure>"
        f'<p class="small">{escape(said.how_to_read(found) + said.drawn(found, MOST))}</p>'
        f"{folded(f'The {count:,} classes as a table', all_of, open_first=count <= FEW)}"
    )
