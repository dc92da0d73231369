"""What repair gave in a real browser: Compare with a run that repaired, the same by F5, and its report."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pruning.export.report import Options, gather
from pruning.export.report.page import html_page
from pruning.runs import Run, create_run, execute, read_run
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec
from tests.browser.steps import expect, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def repaired(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that repairs and fine-tunes a little, among the runs of the app."""
    monkeypatch.setenv("PRUNING_CACHE", str(home / "cache"))
    path = home / "runs" / "repaired"
    if not path.exists():
        recipe = Recipe(
            model="sample:mini_resnet", data="mnist5k", prune=PruneSpec(sparsity=0.5), repair="refit", finetune_steps=4
        )
        execute(create_run(recipe, path=path))
    return read_run(path)


@pytest.mark.slow
def test_compare_shows_what_repair_gave(server: str, page: Page, repaired: Run) -> None:
    page.goto(f"{server}/compare?b={repaired.name}", wait_until="domcontentloaded")
    page.locator(".px-verdict").wait_for()
    settle(page)
    page.get_by_role("radio", name="Repair").first.click()
    page.get_by_role("heading", name="What repair gave").wait_for()
    page.locator(".px-classes").wait_for()
    settle(page)
    assert repaired.result is not None
    stages = page.locator(".px-stages").inner_text()
    for name in ("as_cut", "recalibrated", "repaired", "finetuned"):
        found = getattr(repaired.result.stages, name)
        assert found.kind.words(found.value) in stages
    expect(page.locator(".px-classes tbody tr")).to_have_count(10)
    expect(page.locator(".st-key-compare_repaired svg.main-svg").first).to_be_visible()
    expect(page.locator("[data-testid=stMainBlockContainer]")).to_contain_text("the original network")
    page.wait_for_url(re.compile("r=5"))
    page.reload(wait_until="domcontentloaded")
    page.get_by_role("heading", name="What repair gave").wait_for()
    settle(page)

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "tables scroll inside themselves"


@pytest.mark.slow
def test_its_report_says_so_on_a_screen_and_on_paper(page: Page, repaired: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    contents = gather(repaired, [repaired.summary], Options(), sparsities=(0.0,))
    file.write_text(html_page(contents), encoding="utf-8")
    page.goto(file.as_uri(), wait_until="load")
    page.get_by_role("link", name="Repair").click()
    part = page.locator("#repair")
    expect(part).to_contain_text("What repair gave")
    assert part.locator("figure svg").is_visible()
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        assert axe.run(page).response["violations"] == []

    page.set_viewport_size({"width": 695, "height": 1000})  # a sheet of A4 within its margins
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    table = part.locator(".wide")
    assert table.is_visible(), "what is folded on a screen is open on paper"
    assert table.evaluate("it => it.scrollWidth <= it.clientWidth"), "the table fits the sheet"
