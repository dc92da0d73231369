"""The table of formats: pages, command line and notebook offer what stands here.

A new format is a file with its function beside these, and its line in the table.
"""

from __future__ import annotations

from pruning.base.errors import InputError
from pruning.export.bundle_file import bundle_file
from pruning.export.layers_table import layers_csv
from pruning.export.recipe import recipe
from pruning.export.record import Export, Source
from pruning.export.report_file import report_file
from pruning.export.runs_table import runs_csv
from pruning.export.weights import weights

EXPORTS: dict[str, Export] = {
    export.name: export
    for export in (
        Export(
            name="bundle",
            title="Bundle",
            explanation="The pruned network to take away, for PyTorch and ONNX: each form is proven to work alone.",
            file_name="{name}-bundle.zip",
            media_type="application/zip",
            needs="run",
            make_at=bundle_file,
            takes_long=True,
        ),
        Export(
            name="recipe",
            title="Recipe file",
            explanation="Everything that was asked for, to do it again anywhere.",
            file_name="{name}.yaml",
            media_type="application/yaml",
            needs="recipe",
            make=recipe,
        ),
        Export(
            name="weights",
            title="Model file",
            explanation="The weights of the pruned network, as safetensors.",
            file_name="{name}.safetensors",
            media_type="application/octet-stream",
            needs="run",
            make=weights,
        ),
        Export(
            name="report",
            title="Report",
            explanation="One HTML file that anyone can follow; it needs no network.",
            file_name="{name}-report.html",
            media_type="text/html",
            needs="run",
            make=report_file,
            takes_long=True,
        ),
        Export(
            name="runs",
            title="CSV",
            explanation="All runs of a folder as a table, one line each.",
            file_name="pruning-runs.csv",
            media_type="text/csv",
            needs="runs",
            make=runs_csv,
        ),
        Export(
            name="layers",
            title="CSV",
            explanation="Two networks layer by layer: channels, weights and MACs before and after.",
            file_name="compare-layers.csv",
            media_type="text/csv",
            needs="networks",
            make=layers_csv,
        ),
    )
}
"""By name."""


def offered(source: Source) -> tuple[Export, ...]:
    """The formats that can be made from what is at hand."""
    return tuple(export for export in EXPORTS.values() if export.is_offered(source))


def find_export(name: str) -> Export:
    """The format of that name.

    Raises:
        InputError: there is none.
    """
    if name not in EXPORTS:
        raise InputError(f"There is no format '{name[:80]}'. Choose one of: {', '.join(EXPORTS)}.")
    return EXPORTS[name]
