"""Somebody's own network and photos in a real browser: a bad file, a good one, the gate, a run, Compare, the report."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests import own_files
from tests.browser.steps import SETTLED, expect, number_kept, settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def send(page: Page, kind: str, file: Path) -> None:
    """Ask for a turn, and give the file."""
    page.locator(f".st-key-upload_{kind}_begin button").click()
    page.locator(".st-key-yours [data-testid=stFileUploaderDropzoneInput]").set_input_files(str(file))


def test_from_a_file_of_weights_to_the_report(server: str, page: Page, home: Path, tmp_path: Path) -> None:
    weights, photos = own_files.weights_file(tmp_path / "net.pt"), own_files.photos_zip(tmp_path / "photos.zip")
    (tmp_path / "bad.pt").write_bytes(b"<!DOCTYPE html><html>Sign in</html>")
    page.goto(server, wait_until="domcontentloaded")
    page.get_by_text("Time for 32 images").wait_for()
    settle(page)
    page.get_by_role("link", name="Prune mine").click()
    page.locator(".st-key-yours").wait_for()
    settle(page)
    name = page.locator(".st-key-your_network_name input")
    name.click()
    name.fill("shufflenet_v2_x0_5")
    page.get_by_role("option", name=own_files.NETWORK, exact=True).first.click()
    page.get_by_text("40.5 M MACs").wait_for()

    send(page, "weights", tmp_path / "bad.pt")
    said = page.locator("[data-testid=stAlertContentError]")
    said.wait_for()
    expect(said).to_contain_text("bad.pt")
    expect(said).not_to_contain_text(str(home))
    assert not list((home / "cache" / "uploads").rglob("*.pt")), "nothing is left of it"

    send(page, "weights", weights)
    page.locator(".st-key-upload_images_begin button").wait_for()
    send(page, "images", photos)
    gate = page.locator(".st-key-gate")
    gate.get_by_text(re.compile("gets .* of 24 select images right. As expected?")).wait_for()
    expect(gate.locator(".px-seen img")).to_have_count(8)
    settle(page)  # what a page no longer draws goes when its script has ended
    assert not page.locator(".board").count(), "nothing can be pruned before the answer"
    page.locator(".st-key-gate_yes button").click()
    row = page.locator(".board .row[data-name='stage3.1.branch2.0']")
    row.wait_for()
    settle(page)

    page.reload(wait_until="domcontentloaded")  # F5: the same files, and no second question
    row.wait_for()
    settle(page)
    assert str(home) not in page.url and not page.locator(".st-key-gate").count()
    slider = row.locator("input[type=range]")
    slider.focus()
    for _ in range(3):
        slider.press("PageUp")
    settle(page)
    left = number_kept(row)
    assert left < 48

    page.locator(".st-key-start_run button").click()
    page.wait_for_url("**run=*")
    run = parse_qs(urlsplit(page.url).query)["run"][0]
    panel = page.locator(".st-key-run_panel")
    panel.get_by_text(re.compile("points")).first.wait_for()  # the verdict
    settle(page)
    assert (home / "runs" / run / "result.json").is_file()

    page.locator(".st-key-run_panel").get_by_role("link", name="Compare").click()
    page.locator(".px-verdict").wait_for()
    settle(page)

    page.goto(f"{server}/prune?run={run}", wait_until="domcontentloaded")
    panel.get_by_text(re.compile("points")).first.wait_for()
    settle(page)
    panel.locator("[data-testid=stPopover] button", has_text="Report").first.click()
    page.locator(".st-key-report_make button:visible").first.click()
    page.locator(".st-key-report_file button:visible").first.wait_for()
    with page.expect_download() as download:
        page.locator(".st-key-report_file button:visible").first.click()
    report = download.value.path().read_text(encoding="utf-8")
    assert "shufflenet" in report and str(home / "cache" / "uploads") not in report

    other = page.context.browser.new_page()  # somebody else
    other.goto(page.url.replace(f"run={run}", "own=0123456789ab"), wait_until="domcontentloaded")
    other.get_by_text("only the browser that sent them").wait_for(timeout=120_000)
    other.wait_for_selector(SETTLED)
    visit(other, "Explore", "Look inside")
    other.close()
