"""A report opened from disk with the network off: it is alive with scripts, and reads without them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pruning.export.report import Contents, Options, gather, slider
from pruning.export.report.page import html_page
from pruning.runs import create_run, execute, read_run
from pruning.runs.recipe import Recipe
from pruning.runs.times import measure_times
from pruning.spec import PruneSpec

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_report_from_disk_with_the_network_off(page: Page, tmp_path: Path) -> None:
    contents = made(tmp_path / "runs" / "small")
    file = tmp_path / "report.html"
    file.write_text(html_page(contents), encoding="utf-8")
    assert file.stat().st_size < 8_000_000
    browser = page.context.browser
    assert browser is not None
    with_scripts(browser, file, contents)
    without_scripts(browser, file, contents)


def with_scripts(browser: Browser, file: Path, contents: Contents) -> None:
    page, troubles = subject(browser, file, scripts=True)
    page.locator("#tradeoff-plot svg.main-svg").first.wait_for()
    assert page.locator("#tradeoff-plot .scatterlayer .points path").count() == 3, "the run, its ring, and dense"
    title = page.locator("#tradeoff-plot .xtitle")
    assert "MACs" in (title.text_content() or "")
    speed = page.get_by_role("radio", name="Speed")
    assert speed.count() == bool(contents.result.speedups), "a time that was too noisy is on no axis"
    if speed.count():
        speed.check()
        assert "times as fast" in (title.text_content() or "")

    entries = slider.slider_entries(contents)
    share = page.get_by_role("slider")
    assert share.get_attribute("aria-valuetext") == entries[1]["said"], "it begins where the run was cut"
    share.press("End")
    for name in ("share", "metric", "size", "macs"):
        assert page.locator(f"[data-field={name}]").inner_text() == entries[2][name]
    assert entries[2]["metric"] != entries[1]["metric"]
    line = page.evaluate("document.getElementById('uniform-plot').layout.shapes.at(-1).x0")
    assert line == 90, "the line in the figure follows"

    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    assert axe.run(page).response["violations"] == []

    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#tradeoff-plot").is_hidden() and page.locator("#tradeoff .static svg").is_visible()
    assert share.is_hidden() and page.locator("#slider table").is_visible()
    assert troubles == []
    page.context.close()


def without_scripts(browser: Browser, file: Path, contents: Contents) -> None:
    page, troubles = subject(browser, file, scripts=False)
    verdict = page.locator(".verdict")
    assert contents.verdict.headline in verdict.inner_text()
    box = verdict.bounding_box()
    assert box is not None and box["y"] + box["height"] < 800, "on the first screen"
    assert page.locator("#tradeoff .static svg").is_visible()
    assert page.locator("#slider input").is_hidden() and page.locator("#slider table").is_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    wide = page.locator("main").bounding_box()
    assert wide is not None and wide["width"] <= 390, "nothing pushes the page wider than a phone"
    assert troubles == []
    page.context.close()


def subject(browser: Browser, file: Path, *, scripts: bool) -> tuple[Page, list[str]]:
    """The report in a window of its own without network, and a list of whatever goes wrong in it."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, java_script_enabled=scripts, offline=True, color_scheme="dark"
    )
    page, troubles = context.new_page(), []
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else troubles.append(asked.url))
    page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(file.as_uri(), wait_until="load")
    return page, troubles


def made(folder: Path) -> Contents:
    """What the report of a quick run says."""
    execute(create_run(Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.5)), path=folder))
    measure_times(folder)
    run = read_run(folder)
    return gather(run, [run.summary], Options(recommendation="Use it."), sparsities=(0.0, 0.5, 0.9))
