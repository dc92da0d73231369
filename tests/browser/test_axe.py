"""Every page in both themes, looked at by axe-core: no violation of WCAG 2 AA or its best practice but minor ones.

One visitor walks through all pages, so that each is loaded once; the theme follows the system's, without a load.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pruning.runs.recipe import Recipe
from pruning.runs.store import create_run, execute
from pruning.spec import PruneSpec
from tests.browser.steps import settle
from tests.pages.listing import listed_pages

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

GRAVE = ("moderate", "serious", "critical")


@pytest.fixture
def finished_run(home: Path) -> Iterator[None]:
    """A run, so that the pages that show runs have something to show; gone afterwards, for other tests count theirs."""
    path = create_run(
        Recipe(model="sample:mini_resnet", data="mnist5k", prune=PruneSpec(sparsity=0.4)), path=home / "runs" / "axe"
    )
    execute(path)
    yield
    shutil.rmtree(path)


@pytest.mark.slow
def test_no_page_has_a_grave_violation(server: str, page: Page, finished_run: None) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.goto(server, wait_until="domcontentloaded")
    page.get_by_text("Time for 32 images").wait_for()
    found = []
    for name in listed_pages():
        if name != "start":
            page.locator(f"a[data-testid=stTopNavLink][href$='/{name}']").click()
            page.wait_for_url(f"**/{name}*")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.wait_for_function(
                "theme => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === theme",
                arg=theme,
            )
            settle(page)
            found += [f"{name}, {theme}: {said}" for said in grave(axe.run(page).response)]
    assert found == []


def grave(response: dict[str, Any]) -> list[str]:
    """Violations as sentences: the rule, the element, what is wrong with it."""
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:120]} · {node['failureSummary']}"
        for violation in response["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
