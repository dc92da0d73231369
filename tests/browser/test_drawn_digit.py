"""A digit drawn by hand on Start: both networks answer, the slider moves the pruned one's answer, the keyboard does it
too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.steps import expect, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_drawn_digit_is_answered_by_both_networks(server: str, page: Page) -> None:
    page.goto(server, wait_until="domcontentloaded")
    page.get_by_text("Time for 32 images").wait_for()
    sheet = page.locator(".st-key-digit_area canvas")
    sheet.wait_for()
    settle(page)
    answers = page.locator(".px-spoken section")
    expect(answers).to_have_count(0)

    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box is not None
    across, top, height = box["x"] + box["width"] / 2, box["y"] + 25, box["height"] - 50
    page.mouse.move(across, top)
    page.mouse.down()
    page.mouse.move(across, top + height / 2, steps=6)
    expect(answers, "while the hand still draws").to_have_count(2)
    page.mouse.move(across, top + height, steps=6)
    page.mouse.up()
    settle(page)
    expect(answers.locator("> b")).to_have_text(["1", "1"])
    expect(answers.first.locator("small")).to_have_text(re.compile(r"\d+ % sure"))

    sure = answers.nth(1).locator("ol li i").nth(1)
    before = sure.get_attribute("style")
    slider = page.locator(
        ".st-key-start_percent_widget input[type=range], .st-key-start_percent_widget [role=slider]"
    ).first
    slider.focus()
    slider.press("End")
    expect(sure, "the pruned network's answer follows the slider").not_to_have_attribute("style", str(before))
    settle(page)

    page.get_by_role("button", name="Clear").press("Enter")
    expect(answers).to_have_count(0)
    sample = page.get_by_role("group", name="Try one of ours").get_by_role("button").nth(4)
    sample.press("Enter")  # no mouse needed
    expect(answers).to_have_count(2)
    expect(sample).to_have_attribute("aria-pressed", "true")
