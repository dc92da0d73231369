"""Design tokens: defined once, used by their names, alike in the app's theme, the figures, a report and a component."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pruning.render.figures.style import palette
from pruning.render.tokens import COLOURS, SIZES, reader_tokens, tokens

ROOT = Path(__file__).parents[2]
STREAMLIT = {
    "kept": "blueColor", "removed": "orangeColor", "dense": "grayColor", "other": "greenColor", "ink": "textColor",
    "soft": "dataframeHeaderTextColor", "line": "borderColor", "panel": "secondaryBackgroundColor",
    "paper": "backgroundColor", "accent": "primaryColor",
}  # fmt: skip
"""Token → the option of the app's theme that gives it its colour in components."""
SHEETS = sorted(path for folder in ("pruning", "ui") for path in (ROOT / folder).rglob("*.css"))
SOURCES = [*SHEETS, *(path for folder in ("pruning", "ui") for path in (ROOT / folder).rglob("*.py"))]
DEFINED = re.compile(r"(?<![\w-])--([a-z][a-z-]*)\s*:|setProperty\(\"--([a-z-]+)\"")
USED = re.compile(r"var\(--([a-z][a-z-]*)")


def names(pattern: re.Pattern[str], text: str) -> set[str]:
    return {name for found in pattern.finditer(text) for name in found.groups() if name}


def sizes() -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): ([^;]+);", SIZES))


@pytest.mark.parametrize("dark", [False, True])
def test_the_apps_theme_has_the_colours_of_the_figures(dark: bool) -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]["dark" if dark else "light"]
    mapped = dict(re.findall(r"--(\w+): var\(--st-([\w-]+)\)", (ROOT / "ui" / "kit" / "tokens.css").read_text()))
    for token, option in STREAMLIT.items():
        assert mapped[token] == re.sub(r"[A-Z]", lambda found: f"-{found[0].lower()}", option)
        if token in COLOURS:
            assert theme[option] == getattr(palette(dark), token), token
    assert set(COLOURS) <= set(STREAMLIT)
    assert f"--ink:{palette(dark).ink}" in tokens(dark)


def test_a_readers_system_chooses_the_theme_and_print_is_light() -> None:
    light, dark = reader_tokens().split("@media (prefers-color-scheme:dark){@media screen")
    assert palette(False).kept in light and palette(True).kept in dark


def test_every_token_that_is_used_is_defined() -> None:
    everywhere = {*sizes(), *COLOURS, *STREAMLIT, "focus"}
    scripts = "".join(path.read_text() for path in (ROOT / "ui").rglob("*.js"))
    local = names(DEFINED, scripts)
    for path in SOURCES:
        text = path.read_text()
        missing = names(USED, text) - names(DEFINED, text) - everywhere - local
        assert {name for name in missing if not name.startswith("st-")} == set(), path.relative_to(ROOT)


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_style_sheets_name_their_colours(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;}\s])", text) == [], "colours have their names"
    assert path == ROOT / "ui" / "kit" / "tokens.css" or "var(--st-" not in text, "so have those of the theme"


def test_letters_of_a_size_that_has_a_name_are_called_by_it() -> None:
    written = "|".join(re.escape(value) for name, value in sizes().items() if name.startswith("text-"))
    assert written.count("|") == 3
    found = re.compile(rf"font-size: ?(?:{written})(?![\w.])")
    assert [path.name for path in SOURCES if found.search(path.read_text())] == []


def test_only_the_palette_and_the_icon_write_colours_out() -> None:
    files = [path for path in SOURCES if path.suffix == ".py" and path.name != "style.py"]
    assert [path.name for path in files if re.search(r"#[0-9a-fA-F]{6}\b", path.read_text())] == []
