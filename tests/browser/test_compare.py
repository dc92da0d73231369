"""Compare in a real browser: a first run is made there, every part opens, and the presentation goes by keyboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pruning.runs.recipe import VERSION
from tests.browser.steps import expect, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_first_run_is_made_compared_and_presented(server: str, page: Page) -> None:
    page.goto(f"{server}/compare", wait_until="domcontentloaded")
    make = page.locator(".st-key-compare_make button:visible")
    page.locator(".st-key-compare_make button, .px-verdict").first.wait_for()
    if make.count():  # else another test has left a run
        make.first.click()
    page.locator(".px-verdict").wait_for()
    page.locator(".cmp-drawing").wait_for()
    settle(page)
    assert re.search(r"[?&]b=", page.url)
    expect(page.locator(".px-verdict")).to_contain_text("Of 1,000 digits")

    pick(page, "Images")
    page.locator(".wf").wait_for()
    pick(page, "Classes")
    page.locator(".px-classes").wait_for()
    settle(page)
    page.wait_for_url(f"**r={VERSION}.*")
    page.reload(wait_until="domcontentloaded")  # F5, as a visitor with the link: the same two networks, the same part
    page.locator(".px-classes").wait_for()
    settle(page)

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "tables scroll inside themselves"
    page.set_viewport_size({"width": 1280, "height": 800})

    page.locator(".st-key-compare_present button:visible").first.click()
    dialog = page.locator("dialog[open]")
    dialog.wait_for()
    page.wait_for_url("**present=1*")
    expect(dialog.locator(".place")).to_have_text(re.compile("^1 of [34]$"))
    count = int(dialog.locator(".place").inner_text()[-1])  # no race where the machine was too noisy to time the run
    seen = []
    for number in range(count):
        expect(dialog.locator(".place")).to_have_text(f"{number + 1} of {count}")
        seen.append(dialog.locator(".slide:not([hidden])").inner_text())
        assert smallest_letters(page) >= 23.9
        page.keyboard.press("ArrowRight")
    assert len(set(seen)) == count and ("Recorded, not live" in seen[-1]) is (count == 4)
    page.keyboard.press("ArrowLeft")
    expect(dialog.locator(".place")).to_have_text(f"{count - 1} of {count}")
    page.keyboard.press("Escape")
    page.locator(".st-key-compare_present").wait_for()
    settle(page)
    page.wait_for_url(lambda address: "present" not in address)
    expect(dialog).to_have_count(0)


def smallest_letters(page: Page) -> float:
    """Pixels of the smallest letters of the slide in sight, as drawn."""
    return float(
        page.locator("dialog[open]").evaluate(
            """dialog => {
              const texts = document.createTreeWalker(dialog, NodeFilter.SHOW_TEXT);
              let least = Infinity;
              while (texts.nextNode()) {
                const element = texts.currentNode.parentElement;
                if (!texts.currentNode.textContent.trim()) continue;
                if (element.closest("[hidden], style, title, .badge")) continue;
                const svg = element.closest("svg");
                const scale = svg ? svg.getScreenCTM().a : 1;
                least = Math.min(least, parseFloat(getComputedStyle(element).fontSize) * scale);
              }
              return least;
            }"""
        )
    )


def pick(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).first.click()
