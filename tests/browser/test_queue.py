"""A run in the line, walked in a browser: F5, a second browser, cancel, and going on from where it was stopped."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from pruning.base.safe_json import read_object
from pruning.runs import read_run
from tests.browser.steps import expect, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def wait_for_step(run: Path, step: int) -> None:
    until = time.monotonic() + 120
    while True:
        training = read_run(run).events().training
        if training and training[-1]["step"] >= step:
            return
        assert time.monotonic() < until, read_run(run).status()
        time.sleep(0.05)


def process_of(run: Path) -> int:
    attempt = sorted((run / "attempts").iterdir())[-1]
    values = read_object(attempt / "worker.json")
    assert values is not None
    return int(values["process"]["pid"])


def test_a_run_is_followed_stopped_and_continued(page: Page, server: str, home: Path) -> None:
    """F5 and another browser see the same run; a killed process changes nothing for them; Continue goes on."""
    page.goto(f"{server}/prune", wait_until="domcontentloaded")
    page.locator(".board .row").first.wait_for()
    settle(page)
    page.locator(".board .row input[type=range]").first.press("PageUp")
    page.locator(".st-key-run_bar").get_by_role("button", name="Options").click()
    epochs = page.locator(".st-key-prune_epochs_widget input")
    epochs.fill("20")
    epochs.press("Enter")
    settle(page)
    page.keyboard.press("Escape")
    page.locator(".st-key-start_run button").click()
    page.wait_for_url("**run=*")
    name = parse_qs(urlsplit(page.url).query)["run"][0]
    run = home / "runs" / name
    panel = page.locator(".st-key-run_panel")
    panel.get_by_text(re.compile("Fine-tuning: step")).first.wait_for()

    page.reload(wait_until="domcontentloaded")  # F5
    panel.get_by_text(re.compile("Fine-tuning: step")).first.wait_for()
    assert page.context.browser is not None
    other = page.context.browser.new_context().new_page()
    other.goto(f"{server}/prune?run={name}", wait_until="domcontentloaded")
    theirs = other.locator(".st-key-run_panel")
    theirs.get_by_text(re.compile("Fine-tuning: step")).first.wait_for()

    wait_for_step(run, 60)
    time.sleep(11)  # a checkpoint is kept every ten seconds
    os.kill(process_of(run), signal.SIGKILL)
    until = time.monotonic() + 60
    while len(list((run / "attempts").iterdir())) < 2:
        assert time.monotonic() < until and read_run(run).state in ("queued", "running")
        time.sleep(0.02)
    theirs.get_by_text(re.compile("Fine-tuning: step")).first.wait_for()
    assert not other.get_by_text("failed").count() and not page.get_by_text("failed").count()

    reached = read_run(run).events().training[-1]["step"]
    panel.locator(".st-key-cancel_run button").click()
    page.locator(".st-key-go_on button:visible").first.wait_for()
    theirs.get_by_text(re.compile("Cancelled")).first.wait_for()
    assert read_run(run).state == "cancelled"
    page.locator(".st-key-go_on button:visible").first.click()
    wait_for_step(run, reached + 1)
    steps = [event["step"] for event in read_run(run).events().training]
    assert steps == list(range(1, len(steps) + 1)), "one curve, from the first step on"
    panel.locator(".st-key-cancel_run button").click()
    expect(page.locator(".st-key-go_on button:visible").first).to_be_visible()
    other.context.close()
