"""The engine stands alone: it imports no page and no streamlit, and its dependencies point one way."""

from __future__ import annotations

import ast
import graphlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("pruning", "sample_models")

LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "processor"),
    ("catalog", "clone", "criteria", "distributions", "workfile"),
    ("graph", "slim"),
    ("allocation", "plan"),
    ("shrinkage", "cost", "cost_table", "activations", "remains", "ledger", "devices"),
    ("apply", "evaluate", "latency", "whatif", "recalibrate"),
    ("markup",),
    ("latency_steps", "latency_calls", "latency_grid", "latency_profile", "latency_cache"),
    # above the rest of their package: they remove channels and look what came of it
    ("graph.trial", "graph.remedies", "graph.build", "graph.verify"),
    ("removal",),
    ("catalog.models",),  # above the rest of their package: they hand out traced models
    ("catalog.networks",),
    ("answers",),
    ("safe_yaml", "recipe", "finetune", "schedule", "sensitivity", "preview"),
    ("pipeline", "runs", "plot_style", "plots", "plots_runs", "links"),
    ("contest", "compare", "plots_compare", "plots_inside", "plots_learn"),
    ("commands", "jobs", "export"),
    ("notebook",),
    ("cli", "__main__"),
)
"""DESIGN.md, 'Dependencies point one way': a module imports from its own line or from lines above it here.

The longest name that fits a module counts. A module that stands nowhere is a failure: decide where it belongs.
"""


def source_trees() -> dict[str, ast.Module]:
    """Every module of the two packages by its dotted name, parsed."""
    trees = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            trees[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(path.read_text())
    return trees


def imported(tree: ast.Module, known: set[str]) -> set[str]:
    """Names a module imports, anywhere in it; `from package import module` gives the module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "imports are written out in full here, not relative"
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (full & known) or {node.module}
    return found


def layer(module: str) -> int | None:
    """Index in LAYERS of a module of `pruning`, by the longest name that fits."""
    pieces = module.split(".")[1:]
    for length in range(len(pieces), 0, -1):
        for index, names in enumerate(LAYERS):
            if ".".join(pieces[:length]) in names:
                return index
    return None


def upward_imports(trees: dict[str, ast.Module]) -> list[str]:
    """Each import of `pruning` modules that points the wrong way, as a sentence."""
    wrong = []
    for module, tree in trees.items():
        own = layer(module)
        for other in sorted(imported(tree, set(trees))):
            theirs = layer(other)
            if own is not None and theirs is not None and theirs > own:
                wrong.append(f"{module} imports {other}, which stands above it")
    return wrong


def forbidden_imports(trees: dict[str, ast.Module]) -> list[str]:
    """Imports of streamlit or of the app's own code."""
    roots = {"streamlit", "pages", "app"}
    return [
        f"{module} imports {other}"
        for module, tree in trees.items()
        for other in sorted(imported(tree, set(trees)))
        if other.split(".")[0] in roots
    ]


TREES = source_trees()


def test_no_engine_module_imports_streamlit_or_a_page() -> None:
    assert forbidden_imports(TREES) == []


def test_dependencies_point_one_way() -> None:
    assert upward_imports(TREES) == []


def test_every_module_has_its_place_in_the_layers() -> None:
    unplaced = [name for name in TREES if name.startswith("pruning.") and layer(name) is None]
    assert unplaced == [], "say in LAYERS where these belong"


def test_no_modules_import_each_other_in_a_circle() -> None:
    edges = {module: (imported(tree, set(TREES)) & set(TREES)) - {module} for module, tree in TREES.items()}
    graphlib.TopologicalSorter(edges).prepare()  # raises CycleError, which names the circle


def test_sample_networks_know_nothing_of_the_engine() -> None:
    """Only the script that trained them uses it, so the weights can be read without it."""
    users = {
        module
        for module, tree in TREES.items()
        if module.startswith("sample_models") and any(name.startswith("pruning") for name in imported(tree, set(TREES)))
    }
    assert users <= {"sample_models.train"}


def test_every_folder_with_code_is_a_package() -> None:
    """A folder without __init__.py works in this tree, but `pip install .` leaves it out."""
    folders = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize(
    ("module", "code", "complaints"),
    [
        ("pruning.plan", "from pruning.pipeline import run", 1),
        ("pruning.plan", "from pruning import pipeline", 1),
        ("pruning.plan", "def f():\n    import pruning.pipeline", 1),
        ("pruning.graph.trace", "from pruning.apply import removed_model", 1),
        ("pruning.graph.trace", "from pruning.graph.build import build_graph", 1),
        ("pruning.graph.rules.moves", "from pruning.plan import Plan", 1),
        ("pruning.graph.trial", "from pruning.apply import shrink", 0),
        ("pruning.apply", "from pruning.removal import remove", 1),
        ("pruning.catalog.references", "from pruning.catalog.networks import open_network", 1),
        ("pruning.pipeline", "from pruning.plan import Plan", 0),
        ("pruning.plan", "import streamlit as st", 1),
        ("pruning.plan", "def f():\n    from streamlit.runtime import get_instance", 1),
        ("pruning.plan", "from pages.shared import state", 1),
        ("pruning.plan", "import streamlined", 0),
    ],
)
def test_the_checks_above_can_fail(module: str, code: str, complaints: int) -> None:
    trees = {"pruning.pipeline": ast.parse(""), module: ast.parse(code)}
    assert len(upward_imports(trees) + forbidden_imports(trees)) == complaints


def test_importing_the_whole_engine_loads_no_streamlit() -> None:
    """In a process of its own, since other tests import streamlit here. Catches what a dependency brings along, too."""
    names = [
        module.name
        for package in PACKAGES
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")
        if not module.name.endswith("__main__")
    ]
    assert len(names) > 10
    code = (
        f"import importlib, sys\nfor name in {names!r}:\n    importlib.import_module(name)\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] == 'streamlit'))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
