"""What a run takes on the engines that people deploy, as a part of the report; nothing where that was not measured."""

from __future__ import annotations

from html import escape

from pruning.export.report.contents import Contents
from pruning.export.report.parts import section, table
from pruning.render.markup import engine_table
from pruning.runs.engine_words import remarks


def engines(contents: Contents) -> str:
    """The matrix with sizes, accuracies and what is missing."""
    found = contents.engines
    if found is None:
        return ""
    notes = "".join(f"<p>{escape(text)}</p>" for text in (engine_table.setting(found), *remarks(found)))
    return section(
        "engines",
        "On the engines that people deploy",
        table(
            list(engine_table.HEADS),
            [engine_table.cells(found, cell) for cell in found.cells],
            label="Original and pruned on several engines",
            html=True,
        ),
        table(
            list(engine_table.SIZES),
            [engine_table.sizes(variant) for variant in found.variants],
            label="Sizes and accuracies",
            html=True,
        ),
        notes,
        lead="How much of the speed-up the engine gives, and how much pruning; and what 8-bit integers add.",
    )
