"""The ledger in a bundle's README: the lines that pages and reports show, as a table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from pruning.cost.counts import count_macs, nonzero_parameters
from pruning.graph.model_graph import ModelGraph
from pruning.render.ledger_lines import HEADS, Cell, Line, lines, plain
from pruning.render.markdown import in_a_file as as_it_is
from pruning.render.markup.badges import MEANINGS, SYMBOLS
from pruning.render.markup.result import footnote, metric_lines
from pruning.runs.ledger import ledger_of_result
from pruning.runs.result import Result

LEGEND = ", ".join(f"{SYMBOLS[kind]} {words}" for kind, words in MEANINGS.items())


def ledger_of_run(result: Result) -> str:
    """Everything that the run measured."""
    table = table_of([*metric_lines(result), *lines(ledger_of_result(result))])
    return f"{table}\n\n{LEGEND}. {as_it_is(footnote(result))}"


def ledger_of_modules(dense: nn.Module, pruned: nn.Module, graph: ModelGraph) -> str:
    """What can be counted without images. `graph`: of the unpruned network."""
    shapes = {name: tuple(tensor.shape) for name, tensor in (*pruned.named_parameters(), *pruned.named_buffers())}
    counts: tuple[tuple[str, int, int], ...] = (
        ("Parameters", _count(dense), _count(pruned)),
        ("Parameters that are not zero", nonzero_parameters(dense), nonzero_parameters(pruned)),
        ("MACs of one sample", count_macs(graph, graph.shapes), count_macs(graph, {**graph.shapes, **shapes})),
    )
    rows = [
        Line(
            title=title,
            cells=(
                Cell(text=f"{before:,}", kind="measured"),
                Cell(text=f"{after:,}", kind="measured"),
                Cell(text=f"÷ {before / max(1, after):.2f}", kind="measured"),
            ),
        )
        for title, before, after in counts
    ]
    untold = [plain("Accuracy and time", "–", "–", "not measured: it comes from modules of a process, without images")]
    return f"{table_of([*rows, *untold])}\n\n{LEGEND}."


def _count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def table_of(rows: Sequence[Line]) -> str:
    """A table in Markdown; sentences across it stand below."""
    shown = [row for row in rows if row.cells]
    table = [f"| | {' | '.join(HEADS)} |", "| --- | --- | --- | --- |"]
    table += [f"| {as_it_is(row.title)} | {' | '.join(map(_cell, row.cells))} |" for row in shown]
    notes = [f"- {as_it_is(row.title)}" for row in rows if not row.cells]
    return "\n".join(table) + ("\n\n" + "\n".join(notes) if notes else "")


def _cell(cell: Cell) -> str:
    badge = "" if cell.kind is None else SYMBOLS[cell.kind]
    return " ".join(part for part in (as_it_is(cell.text), as_it_is(cell.small), badge) if part)
