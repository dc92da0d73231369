"""A cut in a real browser: four accuracies, a move while it repairs, a run that repairs, its panel and its report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.steps import expect, settle

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROW = ".row[data-name='layer2.0.conv1'] input[type=range]"
STAGES = ("as cut", "recalibrated", "repaired", "fine-tuned")
CUT_OFF = """() => {
  const tile = document.querySelector(".px-live");
  const { right, bottom } = tile.getBoundingClientRect();
  const texts = [...tile.querySelectorAll("b, small, h2")].map((one) => [one, one.getBoundingClientRect()]);
  const figures = [...tile.querySelectorAll(":scope > div > div")];
  const columns = figures.map((one) => one.getBoundingClientRect());
  return [
    ...figures.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent),
    ...texts.filter(([, at]) => at.right > right + 1 || at.bottom > bottom + 1).map(([one]) => one.textContent),
    ...columns.slice(1).filter((at, i) => at.left < columns[i].right - 1 && at.top === columns[i].top),
  ];
}"""
"""Texts of the tile that reach beyond it, and columns that overlap."""


def column(page: Page, number: int) -> Locator:
    """A figure of the accuracy's tile, from the left."""
    return page.locator(".px-live > div > div").nth(number)


def test_a_cut_is_repaired_live_and_by_its_run(server: str, page: Page) -> None:
    page.goto(f"{server}/prune?model=sample:mini_resnet", wait_until="domcontentloaded")
    page.locator(".st-key-run_bar").wait_for()
    settle(page)
    expect(column(page, 2)).to_contain_text("nothing removed")

    everything = page.get_by_role("slider", name="all rows that are not locked")
    everything.focus()
    for _ in range(3):
        everything.press("PageUp")
    page.locator(".px-live", has_text="recalibrated · ").wait_for()
    slider = page.locator(ROW)  # a move in the middle of it: what was asked before is answered no more
    slider.focus()
    slider.press("PageUp")
    expect(column(page, 2)).to_contain_text("repaired, coarse · ")
    settle(page)
    expect(column(page, 2)).to_have_class(re.compile("px-main"))
    expect(page.locator(".px-live .px-main")).to_have_count(1)
    expect(column(page, 3)).to_contain_text("not yet")
    as_cut, recalibrated, repaired = (figure(column(page, number)) for number in range(3))
    assert as_cut < recalibrated < repaired, "30 % of Mini ResNet's channels"
    for width, height in ((1280, 800), (1440, 900), (1101, 800), (1100, 800), (900, 800), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(500)
        assert page.evaluate(CUT_OFF) == [], f"{width} × {height}"
        box = slider.bounding_box()
        assert box is not None and box["width"] >= 150, f"at {width} there is room to drag"
    page.set_viewport_size({"width": 1280, "height": 800})

    page.locator(".st-key-run_bar").get_by_text("Options").click()
    page.get_by_text("Repair before fine-tuning: refit").click()
    page.get_by_text("The network stays as it was cut.").wait_for()
    epochs = page.get_by_role("spinbutton", name="Epochs of fine-tuning")
    epochs.fill("1")
    epochs.press("Enter")
    page.locator(".st-key-run_bar").get_by_text(re.compile(r"1 epoch, \d+ steps")).wait_for()
    page.keyboard.press("Escape")
    settle(page)
    page.locator(".st-key-start_run button").click()
    panel = page.locator(".st-key-run_panel")
    panel.get_by_text(re.compile("points")).first.wait_for()
    settle(page)
    expect(column(page, 2), "of the run now").not_to_contain_text("coarse")
    expect(column(page, 3)).to_have_class(re.compile("px-main"))
    panel.get_by_text(re.compile("the ledger: dense and pruned")).click()
    stages = panel.locator(".px-stages > div")
    expect(stages).to_have_count(4)
    for number, stage in enumerate(STAGES):
        expect(stages.nth(number)).to_contain_text(stage)
        expect(stages.nth(number)).not_to_contain_text("not done")
    expect(panel.locator(".px-how").first).to_contain_text("Repaired without training or labels")
    assert figure(stages.nth(2)) == figure(column(page, 2)), "the tile shows the run's own"

    panel.get_by_text("Report", exact=True).click()
    page.get_by_role("button", name="Make the report").click()
    download = page.get_by_role("button", name="Download report")
    download.wait_for()
    settle(page)
    with page.expect_download() as arriving:
        download.click()
    report = arriving.value.path().read_text()
    assert "Repaired without training or labels" in report and "repaired (no training)" in report


def figure(place: Locator) -> float:
    """The number that stands out in it."""
    text = place.locator("b").first.text_content() or ""
    return float(text.removesuffix("%"))
