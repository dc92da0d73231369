"""`ui/` and `pages/` hold what needs Streamlit; what needs none belongs to the engine, where everybody can use it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST = 10
"""Lines that a function or a class may have without touching Streamlit: a widget's wording, a key, a small record."""
STREAMLIT = ("streamlit", "DeltaGenerator")

Symbol = tuple[str, str]
"""A module and what it defines at its top level; "" for the module as a whole."""


def app_trees() -> dict[str, ast.Module]:
    """Every module of ui/ and pages/ by its dotted name, parsed."""
    trees = {}
    for package in ("ui", "pages"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            trees[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(path.read_text())
    return trees


def definitions(trees: dict[str, ast.Module]) -> dict[Symbol, ast.stmt]:
    """What each module defines at its top level, by symbol."""
    found: dict[Symbol, ast.stmt] = {}
    for module, tree in trees.items():
        for node in tree.body:
            match node:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    found[module, name] = node
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                    found[module, name] = node
    return found


def bindings(module: str, tree: ast.Module, trees: dict[str, ast.Module]) -> dict[str, Symbol]:
    """What each name that the module imports stands for."""
    names: dict[str, Symbol] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.partition(".")[0]: (alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                names[alias.asname or alias.name] = (full, "") if full in trees else (node.module, alias.name)
    return names


def users_of_streamlit(trees: dict[str, ast.Module]) -> set[Symbol]:
    """What touches Streamlit, itself or through other symbols of the app."""
    known = definitions(trees)
    bound = {module: bindings(module, tree, trees) for module, tree in trees.items()}

    def meaning(module: str, name: str) -> Symbol:
        """Follow a name to where it is defined, through packages that pass it on."""
        symbol = (module, name)
        while symbol not in known and symbol[1] in bound.get(symbol[0], {}):
            symbol = bound[symbol[0]][symbol[1]]
        return symbol

    def used(module: str, node: ast.AST) -> Iterator[Symbol]:
        for part in ast.walk(node):
            match part:
                case ast.Attribute(value=ast.Name(id=name), attr=attribute) if meaning(module, name)[1] == "":
                    owner = meaning(module, name)[0]
                    yield meaning(owner, attribute) if owner in trees else (owner, attribute)
                case ast.Name(id=name):
                    yield meaning(module, name)
                case ast.Constant(value=str(text)) if text in STREAMLIT:
                    yield text, ""

    uses = {symbol: set(used(symbol[0], node)) for symbol, node in known.items()}
    found = {symbol for symbol, others in uses.items() if any(_is_streamlit(other) for other in others)}
    while more := {symbol for symbol, others in uses.items() if others & found} - found:
        found |= more
    return found


def _is_streamlit(symbol: Symbol) -> bool:
    return symbol[0].partition(".")[0] in STREAMLIT or symbol[1] in STREAMLIT


def without_streamlit(trees: dict[str, ast.Module]) -> list[str]:
    """Modules of which nothing touches Streamlit, and long functions and classes that do not, each as a sentence."""
    users = users_of_streamlit(trees)
    found = []
    for module, tree in trees.items():
        own = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        loose = [node for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
        if own and not loose and not any((module, node.name) in users for node in own):
            found.append(f"{module} needs no Streamlit: it belongs to the engine")
            continue
        for node in own:
            lines = _lines(node)
            if lines > LONGEST and (module, node.name) not in users:
                found.append(f"{module}:{node.lineno} {node.name} has {lines} lines without Streamlit: the engine's")
    return found


def _lines(node: ast.FunctionDef | ast.ClassDef) -> int:
    """Lines of a function, or of a class's methods: fields alone are no logic."""
    parts = [node] if isinstance(node, ast.FunctionDef) else [n for n in node.body if isinstance(n, ast.FunctionDef)]
    return sum((part.end_lineno or part.lineno) - part.lineno + 1 for part in parts)


def test_what_needs_no_streamlit_is_the_engines() -> None:
    assert without_streamlit(app_trees()) == []


LONG = "def price(rows):\n" + "    rows += 1\n" * LONGEST + "    return rows\n"


@pytest.mark.parametrize(
    ("sources", "ends"),
    [
        ({"ui.a": "def price(rows):\n    return rows\n"}, ["ui.a needs no Streamlit: it belongs to the engine"]),
        (
            {"ui.a": f"import streamlit as st\n\ndef show():\n    st.write(1)\n\n{LONG}"},
            ["ui.a:6 price has 12 lines without Streamlit: the engine's"],
        ),
        ({"ui.a": "import streamlit as st\n\ndef show():\n    st.write(1)\n"}, []),
        (
            {
                "ui.a": "import streamlit as st\n\ndef show():\n    st.write(1)\n",
                "ui.b": f"from ui import a\n\n{LONG.replace('rows += 1', 'a.show()')}",
                "ui.c": "from ui.b import price\n\ndef page():\n    price(1)\n",
            },
            [],
        ),
        (
            {
                "ui.a": "import streamlit as st\n\nclass Row:\n"
                + "    kept: int\n" * 20
                + "\ndef show():\n    st.write(1)\n"
            },
            [],
        ),
        ({"ui.a": "def show(box: 'DeltaGenerator'):\n    box.write(1)\n"}, []),
    ],
)
def test_the_check_finds_what_it_looks_for(sources: dict[str, str], ends: list[str]) -> None:
    assert without_streamlit({module: ast.parse(text) for module, text in sources.items()}) == ends
