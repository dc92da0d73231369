"""Every sentence of the app is read here: one word a thing, and none of those that people stumble over."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
APP = ("app.py", "pages", "ui", "pruning")
LAY = (
    "pages/start.py", "pages/compare.py", "ui/start", "ui/compare", "pruning/compare", "pruning/render/story.py",
    "pruning/render/markup/slides.py", "pruning/render/markup/verdict.py", "pruning/export/report",
)  # fmt: skip
"""Read by people who know no field terms."""
NOT = {
    r"\buncut\b": "original on lay pages, dense elsewhere",
    r"\bFLOPs?\b": "MACs",
    r"\bpictures? (a day|a second|of this round)\b": "images",
    r"\bas fast, one image\b(?! at)": "one image at a time",
    r"≈ 1× as fast": "same speed",
    r"\bmay a winner\b": "can you call a winner",
    r"\b(limps|stands? here with what|in every currency|than the images leave open|lead nobody)\b": "plain English",
    r"\bknow no pruning\b": "anyone can follow",
    r"\b1 (images|runs|epochs|channels|points|entries|threads|seeds)\b": "a plural of one",
}
NOT_LAY = {r"\b(unpruned|dense) network\b": "original network"}
DOC = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of what a file says to people: strings of more than one word that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = {
        id(line.value)
        for node in ast.walk(tree)
        for line in (node.body if isinstance(getattr(node, "body", None), list) else ())
        if isinstance(line, ast.Expr)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in silent else None
        if isinstance(node, ast.Constant) and isinstance(text, str) and " " in text:
            yield node.lineno, text


def files(*places: str) -> Iterator[Path]:
    for place in places:
        path = ROOT / place
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def spoken(value: object) -> Iterator[str]:
    """All texts in what YAML holds."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from spoken(item)


@cache
def said() -> tuple[tuple[str, str, bool], ...]:
    """Where, what, and whether it is for people who know no field terms."""
    return tuple(_said())


def _said() -> Iterator[tuple[str, str, bool]]:
    lay = set(files(*LAY))
    for path in files(*APP):
        for line, text in sentences(path):
            yield f"{path.relative_to(ROOT)}:{line}", text, path in lay
    for path in sorted((ROOT / "ui").rglob("*.js")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for text in re.findall(r'"([^"]* [^"]*)"', line.partition("// ")[0]):
                yield f"{path.relative_to(ROOT)}:{number}", text, False
    for path in sorted((ROOT / "pruning" / "lessons" / "files").glob("*.yaml")):
        for text in spoken(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield path.name, re.sub(r"{\w+}", "", text), False


def test_no_sentence_has_a_word_that_stands_for_another() -> None:
    found = [
        f"{where}: {text[:90]!r} -> {better}"
        for where, text, lay in said()
        for pattern, better in {**NOT, **(NOT_LAY if lay else {})}.items()
        if re.search(pattern, text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("pattern", [*NOT, *NOT_LAY])
def test_each_pattern_finds_what_it_is_for(pattern: str) -> None:
    samples = ["the uncut network", "3 GFLOP", "FLOPs", "10 pictures a day", "2.0× as fast, one image", "≈ 1× as fast",
               "may a winner be named", "the picture limps", "for people who know no pruning", "1 entries",
               "the dense network"]  # fmt: skip
    assert any(re.search(pattern, sample) for sample in samples)


def test_the_sentences_are_found() -> None:
    assert len(said()) > 3000
    assert any("How much of a network can you throw away?" in text for _, text, _ in said())
