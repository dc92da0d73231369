"""Sensitivity in a real browser: measured, all three figures of the joint cut, tightened, and handed to Prune."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.steps import expect, kept, settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def pressable(page: Page, key: str) -> Locator:
    """A button by its key; one with a help text stands there twice, of which the first is seen."""
    return page.locator(f".st-key-{key} button").first


def big(page: Page, small: str) -> float:
    """The big figure of the tile above its small print, in points."""
    number = page.locator(".px-tile div", has=page.locator("small", has_text=re.compile(f"^{small} · "))).last
    return float(re.findall(r"[\d.]+", number.locator("b").inner_text())[0])


def test_limits_that_cost_too_much_are_tightened_before_they_are_pruned(server: str, page: Page) -> None:
    page.goto(server, wait_until="domcontentloaded")
    settle(page)
    visit(page, "Sensitivity")
    settle(page)
    pressable(page, "measure").click()
    pressable(page, "use_limits").wait_for()
    settle(page)
    control = page.get_by_role("spinbutton", name=re.compile("Limit"))
    expect(control, "the limit is what it was while the curves were measured").to_have_value("1")
    for limit in ("3", "2", "2.5", "1.5"):  # which of them cost too much hangs on the processor's arithmetic
        control.fill(limit)
        control.press("Enter")
        page.get_by_text(f"each to its limit of {limit} points").wait_for()
        settle(page)
        if page.locator(".st-key-measure_together").count():
            pressable(page, "measure_together").click()
            page.locator(".st-key-measure_together").wait_for(state="detached")
            settle(page)
        if page.locator(".st-key-tighten").count():
            break
    as_cut, again, repaired = (big(page, name) for name in ("as cut", "recalibrated", "repaired"))
    assert as_cut < again < repaired, "each is measured, and a repair gives much back"
    tighten = pressable(page, "tighten")
    expect(tighten).to_have_text(re.compile(f"Tighten until together they lose at most {limit} points"))
    expect(tighten).to_have_attribute("kind", "primary")
    prune = pressable(page, "use_limits")
    expect(prune).to_have_attribute("kind", "secondary")
    expect(prune).to_have_text(re.compile(rf"Prune with these limits · {repaired:.1f} % ●"))
    tighten.click()
    page.get_by_text(re.compile("measurement . of at most 14")).wait_for()
    page.locator(".st-key-tighten").wait_for(state="detached")
    settle(page)
    assert 0 <= float(control.input_value()) <= float(limit)
    page.get_by_text(re.compile(rf"together they lose [\d.]+ points .*: at most {limit} points on these")).wait_for()
    assert big(page, "repaired") > repaired
    expect(prune).to_have_attribute("kind", "primary")
    prune.click()
    page.get_by_role("heading", name="Prune", exact=True).first.wait_for()
    settle(page)
    row = page.locator(".row[data-name='layer2.0.conv1']")
    expect(kept(row), "the limits are on the board").not_to_have_text("20 → 20")
