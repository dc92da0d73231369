"""The board of a deep network: rows stand in stages that fold, each with a slider of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.test_board import MOUNT, script, small_board
from ui.kit import component
from ui.prune import board

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def deep_board(stages: int, blocks: int, **changes: Any) -> dict[str, Any]:
    """A board of `stages` × `blocks` rows of four units; the last row of each stage is locked."""
    data = small_board()
    row, layer, group, tensor = (
        data["rows"][0], data["table"]["layers"][0], data["table"]["groups"][0], data["table"]["tensors"][0],
    )  # fmt: skip
    names = [[f"layer{stage}.{block}.conv" for block in range(blocks)] for stage in range(stages)]
    every = [name for stage in names for name in stage]
    rows = [
        row | {"name": name, "label": name, "layers": [name], "readers": [], "locked": why}
        for stage in names
        for name, why in zip(stage, [None] * (blocks - 1) + ["the output"], strict=True)
    ]
    table = {
        "groups": [group | {"name": name, "layers": [i], "producers": [i]} for i, name in enumerate(every)],
        "tensors": [tensor | {"name": name} for name in every],
        "layers": [layer | {"name": name, "tensor": i} for i, name in enumerate(every)],
        "products": [],
    }
    parts = [
        {"title": f"layer{number}", "rows": [[name, name.split(".", 1)[1]] for name in stage]}
        for number, stage in enumerate(names)
    ]
    return data | {"rows": rows, "table": table, "stages": parts} | changes


def heads(page: Page) -> list[tuple[str, str]]:
    """Of each stage: its words, and whether it is open."""
    found = page.locator(".row.stage .fold").evaluate_all(
        "all => all.map((fold) => [[...fold.querySelectorAll('b, small')].map((part) => part.innerText).join(' '),"
        " fold.getAttribute('aria-expanded')])"
    )
    return [tuple(entry) for entry in found]


def test_stages_fold_and_keep_their_rows(page: Page) -> None:
    page.evaluate(MOUNT, script())
    page.evaluate("(data) => give(data)", deep_board(3, 4))
    assert heads(page) == [(f"layer{number} 4 groups, 1 locked", "true") for number in range(3)]
    names = page.locator(".members .name .text").all_inner_texts()
    assert names[:4] == ["0.conv", "1.conv", "2.conv", "3.conv"] and len(names) == 12
    page.locator(".fold").nth(1).click()
    assert [is_open for _, is_open in heads(page)] == ["true", "false", "true"]
    assert not page.locator(".row[data-name='layer1.0.conv']").is_visible()
    page.locator(".fold").nth(1).press("Enter")
    assert page.locator(".row[data-name='layer1.0.conv']").is_visible()


def test_of_many_rows_only_the_chosen_ones_stage_is_open(page: Page) -> None:
    page.evaluate(MOUNT, script())
    page.add_style_tag(content=component.style(Path(board.__file__).parent / "board.css"))
    page.evaluate("(data) => give(data)", deep_board(4, 20, chosen="layer2.3.conv"))
    assert [is_open for _, is_open in heads(page)] == ["false", "false", "true", "false"]
    width = "place.querySelector(\".row[data-name='layer2.3.conv'] canvas\").getBoundingClientRect().width"
    assert page.evaluate(width) > 0
    page.locator(".fold").nth(3).click()
    page.wait_for_timeout(300)
    drawn = """(() => {
      const canvas = place.querySelector(".row[data-name='layer3.0.conv'] canvas");
      return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value);
    })()"""
    assert page.evaluate(drawn), "rows that come into sight are drawn"


def test_a_stages_slider_moves_its_free_rows_alone(page: Page) -> None:
    page.evaluate(MOUNT, script())
    page.evaluate("(data) => give(data)", deep_board(3, 4))
    page.locator(".row[data-name='layer1.1.conv'] .lock").click()
    slider = page.locator(".row.stage input").nth(1)
    slider.evaluate("(input) => { input.value = 500; input.dispatchEvent(new Event('input')); }")
    slider.evaluate("(input) => input.dispatchEvent(new Event('change'))")
    assert page.evaluate("said.at(-1).removed") == {"layer1.0.conv": 2, "layer1.2.conv": 2}
    kept = page.locator(".row.stage .kept").all_inner_texts()
    assert kept == ["100 % kept", "66.7 % kept", "100 % kept"], "8 of 12 units"
    page.locator("[data-tool=undo]").click()
    assert page.evaluate("said.at(-1).removed") == {}
    assert slider.input_value() == "0", "it follows its rows"
