"""Dependencies point one way: pages → ui → pruning, and inside each room by room. The engine imports no streamlit."""

from __future__ import annotations

import ast
import graphlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pruning.runs import files

ROOT = Path(__file__).parents[1]
ENGINE = ("pruning", "sample_models")
TREES_IN = (*ENGINE, "ui", "pages")

ROOMS: tuple[tuple[str, ...], ...] = (
    ("pruning.base",),
    ("pruning.settings",),
    ("pruning.visitors",),
    ("pruning.granularity",),
    ("pruning.jobs",),
    ("pruning.catalog", "pruning.data"),
    ("pruning.tasks",),
    ("pruning.graph",),
    ("pruning.onnx",),
    ("pruning.criteria",),
    ("pruning.spec",),
    ("pruning.statistics",),
    ("pruning.planning",),
    ("pruning.removal",),
    ("pruning.calls",),
    ("pruning.cost",),
    ("pruning.fitting",),
    ("pruning.images",),
    ("pruning.subject",),
    ("pruning.repair", "pruning.training"),
    ("pruning.gate",),
    ("pruning.latency", "pruning.whatif"),
    ("pruning.runs", "pruning.sensitivity"),
    ("pruning.uploads",),
    ("pruning.contest", "pruning.compare"),
    ("pruning.lessons",),
    ("pruning.render",),
    ("pruning.export",),
    ("pruning.notebook",),
    ("pruning.cli", "pruning.__main__"),
    ("ui.kit",),
    ("ui.session",),
    ("ui.runs",),
    ("ui.prune",),
    ("ui.explore", "ui.sensitivity", "ui.compare", "ui.learn"),
    ("ui.start",),
    ("pages",),
    ("app",),
)
"""A module imports from its own line or from lines above it here, never from a line below.

A room that stands nowhere is a failure: decide where it belongs. Whole rooms only: no file has a place of its own.
"""
TOPS = ("pruning", "ui", "sample_models")
"""Packages whose own __init__ stands for what is in them."""


def source_trees() -> dict[str, ast.Module]:
    """Every module by its dotted name, parsed."""
    trees = {"app": ast.parse((ROOT / "app.py").read_text())}
    for package in TREES_IN:
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
    """Index in ROOMS of a module, by its room."""
    names = {module.split(".")[0], ".".join(module.split(".")[:2])}
    return next((index for index, rooms in enumerate(ROOMS) if names & set(rooms)), None)


def upward_imports(trees: dict[str, ast.Module]) -> list[str]:
    """Each import that points the wrong way, as a sentence."""
    wrong = []
    for module, tree in trees.items():
        own = layer(module)
        for other in sorted(imported(tree, set(trees))):
            theirs = layer(other)
            if own is not None and theirs is not None and theirs > own:
                wrong.append(f"{module} imports {other}, which stands above it")
    return wrong


def forbidden_imports(trees: dict[str, ast.Module]) -> list[str]:
    """Imports of streamlit in the engine, or of the app's own code."""
    roots = {"streamlit", "ui", "pages", "app"}
    return [
        f"{module} imports {other}"
        for module, tree in trees.items()
        if module.split(".")[0] in ENGINE
        for other in sorted(imported(tree, set(trees)))
        if other.split(".")[0] in roots
    ]


def circle(trees: dict[str, ast.Module]) -> list[str]:
    """Modules that import each other in a circle, imports for types alone and inside functions counted; [] for none."""
    edges = {module: (imported(tree, set(trees)) & set(trees)) - {module} for module, tree in trees.items()}
    try:
        graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


RUN_FILES = {value for name, value in vars(files).items() if name.isupper()}
"""Names of files in a run's folder. 'cancel' is a word as well, so that one counts only as a part of a path."""
RESULT_TYPES = {"Result", "Side", "Measurement", "Change", "Stages", "FinishedRound", "Speedup", "Figures", "Run"}
RESULT_MAKERS = {"execute", "read_result", "from_values", "gather"}
"""Functions that give a result, or something that has one in an attribute."""


def run_files_named(trees: dict[str, ast.Module]) -> list[str]:
    """Modules outside pruning.runs that name a file of a run's folder, each as a sentence."""
    found = []
    for module, tree in trees.items():
        if module.startswith("pruning.runs"):
            continue
        if "pruning.runs.files" in imported(tree, {*trees, "pruning.runs.files"}):
            found.append(f"{module} imports pruning.runs.files")
        paths = {node.right for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            name = text.rpartition("/")[2]
            if name in RUN_FILES and (name != files.CANCEL or node in paths):
                found.append(f"{module} names {name}")
            if isinstance(node, ast.JoinedStr) and re.fullmatch(r"(.*/)?report-\{.*\.html", ast.unparse(node)[2:-1]):
                found.append(f"{module} names a report's file")
    return found


def results_subscripted(trees: dict[str, ast.Module]) -> list[str]:
    """Places that look into a run's result by a string, each as a sentence.

    What is a result: an attribute `.result` or `.figures`, what a function gives that makes one, what is annotated as
    one of its types, and whatever is taken from one of these by an attribute or an assignment.
    """
    found = []
    for module, tree in trees.items():
        if module == "pruning.runs.result_json":
            continue
        for scope in ast.walk(tree):
            if isinstance(scope, ast.FunctionDef):
                found += [f"{module}:{line} subscripts a result" for line in _subscripts(scope)]
    return sorted(set(found))


def _subscripts(scope: ast.FunctionDef) -> list[int]:
    arguments = [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]
    results = {
        argument.arg
        for argument in arguments
        if argument.annotation is not None and _names(argument.annotation) & (RESULT_TYPES - {"Run"})
    }

    def is_result(node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in results
            case ast.Attribute(value=value, attr=attr):
                return attr in ("result", "figures") or is_result(value)
            case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
                return name in RESULT_MAKERS
            case ast.Subscript(value=value):
                return is_result(value)
        return False

    def note(target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
                for one, other in zip(targets, values, strict=True):
                    note(one, other)
            case ast.Name(id=name), _ if is_result(value):
                results.add(name)

    for _ in range(2):  # twice, for what is assigned before the place where it becomes known
        for node in ast.walk(scope):
            match node:
                case ast.Assign(targets=[target], value=value):
                    note(target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    note(target, value)
    lines = []
    for node in ast.walk(scope):
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str())) if is_result(value):
                lines.append(node.lineno)
            case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[ast.Constant(value=str()), *_]):
                if is_result(value):
                    lines.append(node.lineno)
    return lines


def _names(annotation: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}


TREES = source_trees()


def test_no_engine_module_imports_streamlit_or_a_page() -> None:
    assert forbidden_imports(TREES) == []


def test_dependencies_point_one_way() -> None:
    assert upward_imports(TREES) == []


def test_every_module_has_its_room() -> None:
    homeless = [name for name in TREES if name.split(".")[0] != "sample_models" and layer(name) is None]
    assert [name for name in homeless if name not in TOPS] == [], "say in ROOMS where these belong"


def test_only_runs_knows_the_files_of_a_run() -> None:
    assert run_files_named(TREES) == []


def test_no_result_is_looked_into_by_strings() -> None:
    scripts = {
        path.stem: ast.parse(path.read_text())
        for folder in ("benchmarks", "tests")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert results_subscripted({**TREES, **scripts}) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(TREES) == []


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
    folders = {path.parent for package in TREES_IN for path in (ROOT / package).rglob("*.py")}
    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize(
    ("module", "code", "complaints"),
    [
        ("pruning.planning.plan", "from pruning.runs.pipeline import run", 1),
        ("pruning.planning.plan", "from pruning.runs import pipeline", 1),
        ("pruning.planning.plan", "def f():\n    import pruning.runs.pipeline", 1),
        ("pruning.graph.trace", "from pruning.removal.apply import removed_model", 1),
        ("pruning.graph.trace", "from pruning.removal.build import build_graph", 1),
        ("pruning.graph.rules.moves", "from pruning.planning.plan import Plan", 1),
        ("pruning.removal.trial", "from pruning.removal.apply import shrink", 0),
        ("pruning.removal.apply", "from pruning.cost.counts import count_macs", 1),
        ("pruning.catalog.references", "from pruning.subject import open_subject", 1),
        ("pruning.runs.pipeline", "from pruning.planning.plan import Plan", 0),
        ("pruning.planning.plan", "import streamlit as st", 1),
        ("pruning.planning.plan", "def f():\n    from streamlit.runtime import get_instance", 1),
        ("pruning.planning.plan", "from ui.kit import state", 2),
        ("ui.kit.state", "import streamlit as st\nfrom pruning.runs import pipeline", 0),
        ("ui.kit.state", "from ui.session.header import show", 1),
        ("ui.session.header", "import app", 1),
        ("ui.compare.pair", "from pages.compare import pair", 1),
        ("pruning.planning.plan", "import streamlined", 0),
    ],
)
def test_the_checks_above_can_fail(module: str, code: str, complaints: int) -> None:
    trees = {"pruning.runs.pipeline": ast.parse(""), module: ast.parse(code)}
    assert len(upward_imports(trees) + forbidden_imports(trees)) == complaints


@pytest.mark.parametrize(
    ("code", "complaints"),
    [
        ("path = folder / 'result.json'", 1),
        ("def f(folder):\n    return open(f'{folder}/job.json')", 1),
        ("path = folder / 'cancel'", 1),
        ("button('cancel')", 0),
        ("name = f'report-{key}.html'", 1),
        ("name = 'report-data'", 0),
        ("from pruning.runs.files import MODEL", 1),
        ("from pruning.runs import files", 1),
        ("words = 'Open a recipe.yaml here'", 0),
    ],
)
def test_names_of_run_files_are_found(code: str, complaints: int) -> None:
    assert len(run_files_named({"ui.runs.run_list": ast.parse(code)})) == complaints
    assert run_files_named({"pruning.runs.store": ast.parse(code)}) == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(run):\n    return run.result['dense']",
        "def f(run):\n    result = run.result\n    return result.get('cpu', '')",
        "def f(result: Result | None):\n    return result['dense']",
        "def f(pair):\n    before, after = pair.before.figures, pair.after.figures\n    return after['macs']",
        "def f(result: Result):\n    dense, pruned = result.dense, result.pruned\n    return pruned['bytes']",
        "def f(path):\n    done = execute(path)\n    return done.stages['as_cut']",
        "def f(path):\n    return execute(path)['seconds']",
    ],
)
def test_strings_in_results_are_found(code: str) -> None:
    assert len(results_subscripted({"ui.runs.run_list": ast.parse(code)})) == 1
    assert results_subscripted({"pruning.runs.result_json": ast.parse(code)}) == []


def test_other_subscripts_are_let_through() -> None:
    code = (
        "def f(run):\n    answers = run.answers()\n    return answers['dense'], run.result.dense.latency[1], run.result"
    )
    assert results_subscripted({"ui.runs.run_list": ast.parse(code)}) == []


def test_importing_the_whole_engine_loads_no_streamlit() -> None:
    """In a process of its own, since other tests import streamlit here. Catches what a dependency brings along, too."""
    names = [
        module.name
        for package in ENGINE
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


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("import ui.kit.b", "import ui.kit.a"),
        ("from ui.kit import b", "def f():\n    from ui.kit.a import x"),
        ("if TYPE_CHECKING:\n    from ui.kit.b import B", "from ui.kit.a import A"),
    ],
)
def test_a_circle_is_found(first: str, second: str) -> None:
    assert set(circle({"ui.kit.a": ast.parse(first), "ui.kit.b": ast.parse(second)})) == {"ui.kit.a", "ui.kit.b"}
