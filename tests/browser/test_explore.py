"""Explore leads on: the button at its end opens the page where the next step is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.steps import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_next_step_is_one_press_away(server: str, page: Page) -> None:
    page.goto(f"{server}/explore", wait_until="domcontentloaded")
    step = page.get_by_role("button", name="Measure what each layer can spare")
    step.wait_for()
    settle(page)
    step.press("Enter")
    page.wait_for_url("**/sensitivity*")
    page.get_by_role("heading", name="Sensitivity", exact=True).first.wait_for()
