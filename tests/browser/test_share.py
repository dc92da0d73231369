"""A plan as a link: the address follows the hand, a new visitor finds the same plan, and F5 keeps later changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pruning.runs.links import VERSION
from tests.browser.steps import SETTLED, expect, kept, number_kept, settle

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser


def test_a_plan_travels_in_its_address(server: str, page: Page) -> None:
    page.goto(f"{server}/prune", wait_until="domcontentloaded")
    row = board_row(page)
    settle(page)
    assert "r=" not in page.url, "nothing is planned yet"
    expect(kept(row)).to_have_text("20 → 20")
    before = page.evaluate("history.length")
    row.locator("input[type=range]").press("PageUp")
    row.locator("input[type=range]").press("PageUp")
    page.wait_for_url(re.compile(rf"[?&]r={VERSION}\."))
    settle(page)
    page.wait_for_timeout(500)
    planned, first = number_kept(row), page.url
    assert planned < 20
    assert page.evaluate("history.length") == before, "Back still leads to the page before"

    page.get_by_role("button", name="Share").click()
    offered = page.get_by_test_id("stPopoverBody")
    offered.get_by_text("This link works only on this computer").wait_for()
    assert re.sub(r"\s", "", offered.get_by_test_id("stCode").inner_text()) == first
    with page.expect_download() as download:
        offered.get_by_role("button", name="Recipe file").click()
    recipe = download.value.path().read_text()
    assert "model: sample:mini_resnet" in recipe and "layer2.0.conv1: 0." in recipe

    page.goto("about:blank")
    page.goto(first, wait_until="domcontentloaded")  # a new visitor
    page.get_by_test_id("stToast").get_by_text("Opened the plan in the link").wait_for()
    row = board_row(page)
    settle(page)
    expect(kept(row)).to_have_text(f"20 → {planned}")
    row.locator("input[type=range]").press("Home")
    row.locator("input[type=range]").press("PageUp")
    page.wait_for_function("first => location.href !== first", arg=first)
    settle(page)
    page.wait_for_timeout(500)
    changed = number_kept(row)
    assert planned < changed < 20

    page.reload(wait_until="domcontentloaded")
    row = board_row(page)
    settle(page)
    expect(kept(row), "F5 keeps what was changed after the link was opened").to_have_text(f"20 → {changed}")

    page.goto(first[:-9], wait_until="domcontentloaded")  # as a mail program may cut it off
    page.get_by_test_id("stToast").get_by_text("Nothing was opened").wait_for()
    row = board_row(page)
    page.wait_for_selector(SETTLED)
    expect(kept(row)).to_have_text("20 → 20")
    page.wait_for_function("() => !location.search.includes('r=')")


def board_row(page: Page) -> Locator:
    row = page.locator(".row[data-name='layer2.0.conv1']")
    row.wait_for()
    return row
