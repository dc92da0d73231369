"""`docs/removal.md` has every reason why channels stay, and the beginning of every refusal.

Both are read from the code, so that a new one fails here until a row says what to do about it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "pruning"
REASONS_IN = ("graph", "removal")
REFUSALS_IN = ("graph", "removal", "base/clone.py", "base/time_limit.py")
CARRIERS = {
    "why": 0, "unknown": 0, "lock": 1, "lock_value": 1, "drop": 2, "Problem": 2, "attach": 3, "_whole": 3,
    "contract": 4,
}  # fmt: skip
"""Functions that are given a reason, and its place among their arguments."""
KEYWORDS = ("reason", "locked", "why_least")
ERRORS = ("InputError", "TraceError", "RemovalError", "OutOfTime")
WORDS = 6
"""Of a refusal that the page must have."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file of the engine."""

    path: Path
    tree: ast.Module


@cache
def sources() -> tuple[Source, ...]:
    files = sorted({file for room in ("graph", "removal", "base") for file in (ENGINE / room).rglob("*.py")})
    return tuple(Source(path=file, tree=ast.parse(file.read_text())) for file in files)


@cache
def constants() -> dict[str, ast.expr]:
    """Module constants of all files. Those that are reasons have names of their own."""
    found = {}
    for source in sources():
        for node in source.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found[node.targets[0].id] = node.value
    return found


@cache
def functions() -> dict[str, ast.FunctionDef]:
    return {n.name: n for source in sources() for n in ast.walk(source.tree) if isinstance(n, ast.FunctionDef)}


def within(source: Source, rooms: tuple[str, ...]) -> bool:
    place = source.path.relative_to(ENGINE).as_posix()
    return any(place == room or place.startswith(f"{room}/") for room in rooms)


def texts(node: ast.expr | None, around: ast.AST) -> Iterator[str]:
    """What an expression may say, with … for what is filled in; constants that are filled in, too. `around`: the
    function in which it stands."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        names = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        for name in names:
            if isinstance(name, ast.Name) and name.id in constants():
                yield from texts(constants()[name.id], around)
    elif isinstance(node, ast.BinOp):
        left, right = (next(texts(side, around), "…") for side in (node.left, node.right))
        yield left + right
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body, around)
        yield from texts(node.orelse, around)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from texts(value, around)
    elif isinstance(node, ast.Name):
        assigned = [
            each.value for each in ast.walk(around)
            if isinstance(each, ast.Assign) and any(isinstance(t, ast.Name) and t.id == node.id for t in each.targets)
        ]  # fmt: skip
        for value in assigned or [constants().get(node.id)]:
            if value is not None and not any(isinstance(n, ast.Name) and n.id == node.id for n in ast.walk(value)):
                yield from texts(value, around)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions():
        inner = functions()[node.func.id]
        for each in ast.walk(inner):
            if isinstance(each, ast.Return):
                yield from texts(each.value, inner)


def calls(rooms: tuple[str, ...]) -> Iterator[tuple[ast.Call, ast.AST]]:
    """Every call, with the innermost function around it."""
    for source in sources():
        if not within(source, rooms):
            continue
        owner: dict[ast.AST, ast.AST] = {}
        for outer in ast.walk(source.tree):
            if isinstance(outer, ast.FunctionDef):
                owner |= dict.fromkeys(ast.walk(outer), outer)  # inner functions come later
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call):
                yield node, owner.get(node, source.tree)


def name_of(call: ast.Call) -> str:
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def reasons() -> set[str]:
    """Every reason for which channels stay, or for which a removal is not proven."""
    found = set()
    for call, around in calls(REASONS_IN):
        place = CARRIERS.get(name_of(call), len(call.args))
        given = [*call.args[place : place + 1], *(k.value for k in call.keywords if k.arg in KEYWORDS)]
        found |= {text for argument in given for text in texts(argument, around)}
    for name in ("NO_RULE", "REWRITE", "MEETS_RAW", "RAW_REASON"):  # a default, and what is added to it
        found |= set(texts(constants()[name], constants()[name]))
    for node in ast.walk(functions()["_reasons"]):  # of a whole network
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
            found.add(node.value.value)
    return {text for text in found if len(re.findall(r"\w+", text)) > 1}


def refusals() -> set[str]:
    """The beginnings of all errors with which the engine refuses a network, its inputs, or what came of it."""
    found = {text for call, around in calls(REFUSALS_IN) if name_of(call) in ERRORS and call.args
             for text in texts(call.args[0], around)}  # fmt: skip
    for source in sources():
        if source.path.name == "compare.py":
            for node in ast.walk(source.tree):
                if isinstance(node, ast.Return):
                    found |= {text for text in texts(node.value, source.tree) if " " in text}
    return {beginning(text) for text in found if any(letter.isalpha() for letter in text)}


def beginning(text: str) -> str:
    """Its first words, without what is filled in around them."""
    return " ".join(text.split()[:WORDS]).strip(" …:.(")


def page() -> str:
    return " ".join((ROOT / "docs" / "removal.md").read_text().split())


def missing(wanted: set[str], text: str) -> list[str]:
    return sorted(reason for reason in wanted if " ".join(reason.split()) not in text)


def test_the_page_has_every_reason_why_channels_stay() -> None:
    assert missing(reasons(), page()) == []


def test_the_page_has_every_refusal() -> None:
    assert missing(refusals(), page()) == []


@pytest.mark.parametrize(
    "text",
    [
        "runs along the channels",  # given to `why` by way of a parameter
        "the network's outputs stay",  # a constant
        "starts from a state that is given to it",  # one of two
        "the code at … makes a number of the values of …",
        "the code there does not allow another size",  # by way of a trial
        "its channels only go all together",
    ],
)
def test_reasons_are_found_however_they_are_said(text: str) -> None:
    assert text in reasons()
    assert missing({text}, page().replace(text, "")) == [text]


def test_refusals_are_found_however_they_are_said() -> None:
    assert {beginning(text) for text in (
        "This network has no parameters, so there is nothing to remove.",
        "… is on …: removal works on the CPU, so pass model.cpu().",
        "The network's own forward fails on these example inputs…",
        "This network cannot be copied (…",
        "This network takes more than the time limit",
        "… needs about … GB of memory and … GB are free",
    )} <= refusals()  # fmt: skip


def test_a_function_that_passes_a_reason_on_is_known() -> None:
    """A reason that is a parameter is looked for where its function is called, so that function must be listed."""
    passing = set()
    for call, around in calls(REASONS_IN):
        place = CARRIERS.get(name_of(call), len(call.args))
        given = {argument.id for argument in call.args[place : place + 1] if isinstance(argument, ast.Name)}
        if isinstance(around, ast.FunctionDef):
            words = {a.arg for a in around.args.args if a.annotation and "str" in ast.unparse(a.annotation)}
            passing |= {around.name} if given & words else set()
    assert passing and passing <= CARRIERS.keys()
