"""One walk through the explorer in a real browser: Start, Explore, Prune with a run and F5 in its middle, Trade-off."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).parents[2]
FLAGS = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"]
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
PATIENCE = 180_000
"""Milliseconds for one step; on an idle machine each takes a second or two."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.is_file(), reason=f"Chromium is absent: there is no {CHROMIUM}"),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The app on a free port, its runs and cache in a folder of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "server.headless": "true",
        "server.port": str(port),
        "server.address": "127.0.0.1",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PRUNING_RUNS": str(tmp_path / "runs"),
        "PRUNING_CACHE": str(tmp_path / "cache"),
    }
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *(f"--{k}={v}" for k, v in options.items())],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def page() -> Iterator[Page]:
    """A window of 1280 × 800."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        window = browser.new_page(viewport={"width": 1280, "height": 800})
        window.set_default_timeout(PATIENCE)
        yield window
        browser.close()


def test_a_walk_from_start_to_a_run_in_the_trade_off(server: str, page: Page, tmp_path: Path) -> None:
    page.goto(server, wait_until="domcontentloaded")
    page.get_by_text("Time for 32 images").wait_for()
    settle(page)

    visit(page, "Explore", "Look inside")
    page.locator(".js-plotly-plot").first.wait_for()
    settle(page)

    visit(page, "Prune")
    page.locator(".st-key-run_bar").wait_for()
    settle(page)
    row = page.locator(".st-key-row_plain_2, .st-key-row_chosen_2")
    assert "20 → 20" in row.inner_text()
    hold_a_key_on_all(page)
    page.locator(".st-key-reset button").click()
    page.wait_for_function("() => document.querySelector('.st-key-board').innerText.includes('20 → 20')")
    settle(page)
    slider = row.locator("input[type=range]")
    slider.focus()
    slider.press("PageUp")
    slider.press("PageUp")
    slider.press("ArrowRight")
    page.wait_for_function("() => !document.querySelector('.st-key-board').innerText.includes('20 → 20')")
    settle(page)
    kept = re.search(r"20 → (\d+)", row.inner_text())
    assert kept and int(kept[1]) < 20, "the count follows the slider"

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

    page.reload(wait_until="domcontentloaded")  # F5 in the middle: a new session, the same run
    panel = page.locator(".st-key-run_panel")
    panel.wait_for()
    assert "run=" in page.url
    panel.get_by_text(re.compile("points")).first.wait_for()  # the verdict
    settle(page)
    assert "test images" in panel.inner_text()
    assert f"20 → {kept[1]}" in page.locator(".st-key-board").inner_text(), "the sliders came back as well"

    visit(page, "Trade-off")
    page.locator(".js-plotly-plot").first.wait_for()
    settle(page)
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "result.json").is_file()
    assert page.locator(".js-plotly-plot .scatterlayer .trace").count() >= 2, "dense and the run"
    assert page.get_by_text("1 run", exact=True).count() == 1
    page.locator(".js-plotly-plot .scatterlayer .points path").first.wait_for()


def hold_a_key_on_all(page: Page) -> None:
    """No step of "All" is lost and no row stays behind, though each step comes before the page has drawn the last."""
    master = page.locator(".st-key-master input[type=range]")
    master.focus()
    for _ in range(12):
        master.press("ArrowRight")
        page.wait_for_timeout(40)
    page.wait_for_timeout(1000)
    settle(page)
    rows = page.locator(".st-key-board input[type=range]").all()
    assert [slider.input_value() for slider in [master, *rows]] == ["12"] * (1 + len(rows))


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


def _wait_for(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.25)
    raise TimeoutError(f"the server did not answer at {address}")
