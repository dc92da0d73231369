"""One walk through the explorer in a real browser: Start, Explore, Prune with a run and F5 in its middle, Trade-off."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.steps import expect, kept, number_kept, settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_walk_from_start_to_a_run_in_the_trade_off(server: str, page: Page, home: Path) -> None:
    page.goto(server, wait_until="domcontentloaded")
    page.get_by_text("Time for 32 images").wait_for()
    settle(page)

    visit(page, "Explore", "Look inside")
    page.locator(".js-plotly-plot").first.wait_for()
    settle(page)

    visit(page, "Prune")
    page.locator(".st-key-run_bar").wait_for()
    settle(page)
    row = page.locator(".row[data-name='layer2.0.conv1']")
    expect(kept(row)).to_have_text("20 → 20")
    slider = row.locator("input[type=range]")
    slider.focus()
    slider.press("PageUp")
    slider.press("PageUp")
    slider.press("ArrowRight")
    settle(page)
    expect(kept(row), "the count follows the slider").not_to_have_text("20 → 20")
    left = number_kept(row)

    page.locator(".st-key-run_bar").get_by_text("Options").click()
    epochs = page.get_by_role("spinbutton", name="Epochs of fine-tuning")
    epochs.fill("1")
    epochs.press("Enter")
    page.locator(".st-key-run_bar").get_by_text(re.compile(r"1 epoch, \d+ steps")).wait_for()
    page.keyboard.press("Escape")
    settle(page)
    page.locator(".st-key-start_run button").click()
    page.locator(".st-key-run_panel").wait_for()
    page.wait_for_url("**run=*")
    name = parse_qs(urlsplit(page.url).query)["run"][0]

    page.reload(wait_until="domcontentloaded")  # F5 in the middle: a new session, the same run
    panel = page.locator(".st-key-run_panel")
    panel.wait_for()
    assert "run=" in page.url
    panel.get_by_text(re.compile("points")).first.wait_for()  # the verdict
    settle(page)
    panel.get_by_text(re.compile("the ledger: dense and pruned")).click()
    panel.get_by_text(re.compile("test images")).first.wait_for()
    expect(kept(row), "the sliders came back as well").to_have_text(f"20 → {left}")

    visit(page, "Trade-off")
    page.locator(".js-plotly-plot").first.wait_for()
    settle(page)
    assert (home / "runs" / name / "result.json").is_file()
    assert page.locator(".js-plotly-plot .scatterlayer .trace").count() >= 2, "dense and the run"
    recipes = [path.read_text() for path in (home / "runs").glob("[!.]*/recipe.yaml")]  # other tests may have left some
    runs = sum("sample:mini_resnet" in recipe for recipe in recipes)
    expect(page.get_by_text(f"{runs} run{'' if runs == 1 else 's'}", exact=True)).to_have_count(1)
    page.locator(".js-plotly-plot .scatterlayer .points path").first.wait_for()
