"""The tables of the code: records that say what they are, each table with the test that goes through all of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
TREES = ("pruning", "sample_models", "ui")
TABLES = {
    "pruning.base.first_bytes:KINDS": "tests/base/test_first_bytes.py::test_each_name_stands_once",
    "pruning.base.first_bytes:TEXTS": "tests/base/test_first_bytes.py::test_each_name_stands_once",
    "pruning.catalog.openers:OPENERS": "tests/catalog/test_openers.py::test_a_row_keeps_its_word",
    "pruning.cli.commands:COMMANDS": "tests/cli/test_commands.py::test_each_command_says_what_it_is",
    "pruning.cli.runs:ACTIONS": "tests/cli/test_runs.py::test_each_says_what_it_is",
    "pruning.cost.devices:BUDGETS": "tests/runs/test_ledger.py::test_budgets_say_fits_or_by_how_much_not",
    "pruning.criteria:CRITERIA": "tests/criteria/test_table.py::test_its_record_is_sound",
    "pruning.data.augmentations:AUGMENTATIONS": (
        "tests/data/test_augmentations.py::test_a_row_keeps_shape_and_type_and_draws_from_its_lots"
    ),
    "pruning.data.orders:ORDERS": "tests/data/test_orders.py::test_each_order_by_hand",
    "pruning.data.readers:READERS": "tests/data/test_readers.py::test_a_row_keeps_its_word",
    "pruning.export.bundle.forms:FORMS": (
        "tests/export/bundle/test_bundle_of_run.py::test_every_form_is_in_it_and_agrees"
    ),
    "pruning.export.report.charts:AXES": "tests/export/test_report.py::test_every_axis_has_its_cost_and_words",
    "pruning.export.table:EXPORTS": "tests/export/test_exports.py::test_each_makes_a_file_from_a_finished_run",
    "pruning.granularity:GRANULARITIES": "tests/test_granularity.py::test_what_goes_is_done_as_the_table_says",
    "pruning.graph.ops:OPS": "tests/graph/test_ops.py::test_every_op_is_called_once",
    "pruning.graph.ops.table:ROWS": "tests/graph/test_ops.py::test_every_op_is_called_once",
    "pruning.latency.engines.table:ENGINES": (
        "tests/latency/test_engines.py::test_an_engine_computes_what_the_module_does"
    ),
    "pruning.lessons.activities:ACTIVITIES": "tests/lessons/test_activities.py::test_every_default_is_allowed",
    "pruning.lessons.activities:COMMON": "tests/lessons/test_activities.py::test_every_default_is_allowed",
    "pruning.planning.allocation:ALLOCATIONS": "tests/test_spec.py::test_every_allocation_has_its_function",
    "pruning.removal.slim_window_kinds:WINDOWS": "tests/removal/test_slim.py::test_half_of_the_network_goes_exactly",
    "pruning.runs.axes:AXES": "tests/runs/test_axes.py::test_every_axis_has_its_value_and_words",
    "pruning.runs.pack:PARTS": (
        "tests/runs/test_pack.py::test_the_same_run_gives_the_same_bytes_and_no_path_of_its_machine"
    ),
    "pruning.runs.result_json:UPGRADES": "tests/runs/test_result.py::test_every_earlier_version_has_its_step",
    "pruning.tasks.table:TASKS": "tests/tasks/test_tasks.py::test_a_row_keeps_its_word",
    "sample_models:SAMPLES": "tests/sample_models/test_samples.py::test_every_sample_has_its_floor",
    "ui.runs.job_panel:PANELS": "tests/ui/test_report_panel.py::test_every_format_of_a_run_is_offered",
}
"""Table → the test that goes through its rows. A new table of records is a new line here."""
WORDS = ("title", "explanation", "story", "words", "short")
"""Fields that a person reads."""


def table(place: str) -> Any:
    if place.startswith("ui."):
        pytest.importorskip("streamlit")
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("place", TABLES)
def test_records_say_what_they_are(place: str) -> None:
    rows = table(place)
    assert rows
    records = list(rows.values()) if isinstance(rows, Mapping) else list(rows)
    for record in (record for record in records if is_dataclass(record)):
        names = {entry.name for entry in fields(record)}
        for word in names.intersection(WORDS):
            assert str(getattr(record, word)).strip(), f"{record} has no {word}"
        if isinstance(rows, Mapping) and names & {"name", "kind"}:
            key = getattr(record, "name" if "name" in names else "kind")
            assert rows[key] is record, f"{key} stands under another name"
        assert type(record).__dataclass_params__.frozen, f"{type(record).__name__} can be changed"


@pytest.mark.parametrize("place", TABLES)
def test_each_table_has_the_test_that_goes_through_it(place: str) -> None:
    file, _, function = TABLES[place].partition("::")
    tree = ast.parse((ROOT / file).read_text())
    tests = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert function in tests, f"{file} has no {function}"
    name = place.partition(":")[2]
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert name in used, f"{file} does not look at {name}"


def record_tables() -> list[str]:
    """Every table in the code whose rows are records, as 'module:NAME'."""
    trees = {".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text())
             for root in TREES for path in (ROOT / root).rglob("*.py")}  # fmt: skip
    records = {node.name for tree in trees.values() for node in ast.walk(tree) if is_record(node)}
    return sorted(f"{module.removesuffix('.__init__')}:{name}" for module, tree in trees.items()
                  for name in tables_of(tree, records))  # fmt: skip


def is_record(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(mark) for mark in node.decorator_list)


def tables_of(tree: ast.Module, records: set[str]) -> list[str]:
    """Names in capitals whose annotation is a dict or tuple of records."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id.isupper():
            rows = re.search(r"^(?:dict\[.*, (\w+)\]|tuple\[(\w+), \.\.\.\])$", ast.unparse(node.annotation))
            if rows is not None and (rows[1] or rows[2]) in records:
                found.append(node.target.id)
    return found


def test_no_table_of_records_is_forgotten() -> None:
    found = record_tables()
    assert len(found) > 8
    assert set(found) <= set(TABLES), "say in TABLES which test goes through these"


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("THINGS: dict[str, Thing] = {}", 1),
        ("THINGS: tuple[Thing, ...] = ()", 1),
        ("THINGS: dict[str, int] = {}", 0),
        ("def f():\n    THINGS: dict[str, Thing] = {}", 0),
        ("things: dict[str, Thing] = {}", 0),
    ],
)
def test_a_table_of_records_is_found(code: str, count: int) -> None:
    assert len(tables_of(ast.parse(code), {"Thing"})) == count
