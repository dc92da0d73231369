"""What every walk in a browser does: wait until the page stands still, go to another page, look at what is there.

`expect` looks again and again until what it expects is there, so that a slow machine only takes longer. It reads what
an element holds, not what is drawn: the browser leaves out rows that are not in sight.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

expect = pytest.importorskip("playwright.sync_api").expect
expect.set_options(timeout=60_000)

SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"


def settle(page: Page) -> None:
    """Wait until the page's script has ended, and see that nothing went wrong."""
    page.wait_for_timeout(300)  # a change needs a moment to reach the server
    page.wait_for_selector(SETTLED)
    shown = page.locator("[data-testid=stException], [data-testid=stAlertContentError]").all_inner_texts()
    assert shown == [], f"an error stands on {page.url}"


def visit(page: Page, title: str, heading: str | None = None) -> None:
    """Go to a page by the navigation on top; `heading` is the page's own, if it is not the same."""
    page.locator("a[data-testid=stTopNavLink]", has_text=title).click()
    page.wait_for_url(re.compile(title.lower().replace("-", "")))
    page.get_by_role("heading", name=heading or title, exact=True).first.wait_for()


def kept(row: Locator) -> Locator:
    """What a row of the board says is left of its units, such as '20 → 12'."""
    return row.locator(".kept > span")


def number_kept(row: Locator) -> int:
    """The 12 of '20 → 12', as it stands now."""
    return int((kept(row).text_content() or "").split("→")[1])
