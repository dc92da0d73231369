"""Inside, Race and Savings of the Compare page under mouse and keyboard, with one finished run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pruning.spec import PruneSpec
from tests.browser.steps import expect, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

LAYER = "layer2.0.conv1"

pytestmark = pytest.mark.browser


@pytest.fixture
def run(home: Path) -> Iterator[Path]:
    """A finished run, 40 % of the channels, hardly trained; gone again afterwards."""
    from pruning.runs import create_run, execute
    from pruning.runs.recipe import Recipe

    recipe = Recipe(
        model="sample:mini_resnet",
        data="mnist5k",
        finetune_steps=5,
        prune=PruneSpec(granularity="channel", sparsity=0.4),
    )
    path = create_run(recipe, path=home / "runs" / "inside")
    execute(path)
    yield path
    shutil.rmtree(path)


def part(page: Page, name: str) -> None:
    page.locator("[data-testid=stButtonGroup] button", has_text=name).first.click()
    settle(page)


@pytest.mark.slow
def test_filters_race_guess_and_savings(server: str, page: Page, run: Path) -> None:
    from pruning.subject import open_subject

    page.goto(f"{server}/compare?b={run.name}", wait_until="domcontentloaded")
    page.locator("[data-testid=stButtonGroup] button", has_text="Inside").first.wait_for()
    settle(page)

    part(page, "Inside")
    page.get_by_label("Layer").first.click()
    page.get_by_role("option", name=LAYER, exact=True).click()
    grid = page.locator(f".st-key-compare_filters_{LAYER.replace('.', '-')} .picker")
    grid.wait_for()
    settle(page)
    kept = open_subject(f"run:{run}").network.structure.kept[f"{LAYER}.weight"][0]
    gone = [str(number) for number in range(20) if number not in kept]
    expect(grid.locator(".tile")).to_have_count(20)
    hatched = grid.locator(".tile:has(.gone)").evaluate_all("all => all.map((tile) => tile.dataset.id)")
    assert hatched == gone, "removed channels stand under their original numbers"
    grid.locator(".tile").first.focus()
    for _ in range(kept[0]):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    panel = page.locator(".st-key-compare_knockout")
    panel.get_by_text(re.compile(rf"Without filter {kept[0]}\b")).wait_for()
    panel.locator(".js-plotly-plot").wait_for()
    settle(page)
    expect(panel.get_by_text(re.compile("^(Original|Pruned): "))).to_have_count(2)
    expect(grid.locator("[aria-pressed=true]")).to_have_attribute("data-id", str(kept[0]))

    part(page, "Race")
    page.locator(".st-key-compare_race_start button").click()
    page.locator(".rc-count").first.get_by_text(re.compile("[1-9]")).wait_for()  # on its way
    result = page.locator("[role=status]", has_text=re.compile("as fast|Same speed|Too noisy to measure"))
    result.wait_for()
    settle(page)
    shares = page.locator(".rc-track i").evaluate_all("all => all.map((bar) => parseFloat(bar.style.width))")
    if "Too noisy" in result.inner_text():
        assert shares == [0, 0], "who was ahead says nothing"
    else:
        assert max(shares) == pytest.approx(100, abs=0.1) and min(shares) > 0, "one is at the finish"

    page.locator(".st-key-compare_guess_A button").press("Enter")
    page.get_by_text(re.compile("[01] of 1 right: no better than a coin")).wait_for()
    settle(page)
    page.locator(".st-key-compare_blind_next button").click()
    page.locator(".st-key-compare_guess_B button").wait_for()
    settle(page)

    part(page, "Savings")
    page.get_by_text("Nothing is claimed yet").wait_for()
    devices = page.get_by_label("Devices that get the network").first
    devices.fill("1000")
    devices.press("Enter")
    page.get_by_text(re.compile("MB less")).first.wait_for()
    settle(page)
