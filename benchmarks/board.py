"""Do numbers move while you drag?

    python -m benchmarks.board --data-dir DIR [--drags 15]

Claims, each in a real browser on a server of its own: from a drag's event to new counts, parameters and MACs on the
screen at most 100 ms (median); from the end of a drag to the first accuracy as cut at most 250 ms (lenet5) and 500 ms
(resnet20), recalibrated at most 1.5 s (median), and the first coarse figure of a repair at most 2.5 s (median, resnet20
and vgg_small); more than 60 rows (resnet152) dragged for 2 s, one row and all at once,
without a lost event; the board of resnet50 within 3 s of opening the page once the graph is known. DIR holds
cifar10.zip. Needs Chromium. An event is on the screen after the frame that follows it.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, sync_playwright

from benchmarks.common import answers, report, say

ROOT = Path(__file__).parents[1]
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"]
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
EVENT_MS, RECALIBRATED_MS, REPAIRED_MS, OPEN_SECONDS, ROWS, DRAG_SECONDS = 100, 1500, 2500, 3.0, 60, 2.0
AS_CUT_MS = {"lenet5": 250, "resnet20": 500}
REPAIRED = ("resnet20", "vgg_small")

WATCH = """() => {
  const watch = window.watch = {events: 0, painted: [], end: 0, first: 0, again: 0, repaired: 0, rev: 0};
  const hosts = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")];
  const host = hosts.find((each) => each.shadowRoot?.querySelector(".board"));
  const board = () => host.shadowRoot.querySelector(".board");
  const count = () => Number(board().querySelector(".tiles").dataset.events);
  watch.told = count;
  watch.before = count();
  for (const kind of ["input", "change"]) {
    board().addEventListener(kind, (event) => {
      watch.events += 1;
      const at = event.timeStamp;
      requestAnimationFrame(() => {
        const after = new MessageChannel();
        after.port1.onmessage = () => watch.painted.push(performance.now() - at);
        after.port2.postMessage(0);
      });
    });
  }
  addEventListener("pointerup", (event) => {
    Object.assign(watch, {end: event.timeStamp, first: 0, again: 0, repaired: 0, rev: 0});
    setTimeout(() => (watch.rev = Number(board().dataset.rev)), 0);
  }, true);
  const look = () => {
    const tile = document.querySelector(".st-key-board_accuracy .px-live");
    if (!tile || !watch.rev || Number(tile.dataset.rev) < watch.rev) return;
    watch.first ||= performance.now() - watch.end;
    if (!tile.querySelector(".px-main.px-dim")) watch.again ||= performance.now() - watch.end;
    const columns = [...tile.querySelectorAll(":scope > div > div")];
    const repaired = columns.find((each) => each.textContent.includes("repaired"));
    if (repaired && !repaired.classList.contains("px-dim")) watch.repaired ||= performance.now() - watch.end;
  };
  const place = document.querySelector(".st-key-board_accuracy");
  new MutationObserver(look).observe(place, {subtree: true, childList: true, attributes: true});
}"""
"""Notes, for every event of the board, how long until it was painted, and for the end of a drag, until figures came."""


@contextmanager
def serving(**environment: str) -> Iterator[str]:
    """The app on a free port, with these variables in its environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true",
               f"--server.port={port}", "--server.address=127.0.0.1"]  # fmt: skip
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not answers(f"http://127.0.0.1:{port}/_stcore/health"):
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def show(page: Page, address: str, model: str, data_dir: str) -> None:
    """The board of a network, its images found, its first figures there."""
    page.goto(f"{address}/prune?model={model}", wait_until="domcontentloaded")
    page.locator(".board .row:not(.head)").first.wait_for()
    page.wait_for_selector(SETTLED)
    if page.locator(".st-key-named_data_dir").count():
        page.locator(".st-key-named_data_dir input").fill(data_dir)
        page.locator(".st-key-named_data_dir input").press("Enter")
        page.locator(".st-key-use_data_dir button").click()
        page.get_by_text("as cut").first.wait_for()
    page.wait_for_timeout(500)
    page.wait_for_selector(SETTLED)
    page.evaluate(WATCH)


def drag(page: Page, bars: Locator, seconds: float, start: float, end: float) -> None:
    """Move the cut to and fro in small steps for a while, then from `start` to `end`, and let go."""
    bars.scroll_into_view_if_needed()
    box = bars.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2

    def to(share: float) -> None:
        page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), middle)

    to(start)
    page.mouse.down()
    until = time.perf_counter() + seconds
    step = 0
    while time.perf_counter() < until:
        step += 1
        to(0.5 - abs(step % 80 / 80 - 0.5))
    for part in range(1, 7):
        to(start + (end - start) * part / 6)
    page.mouse.up()


def accuracy_after_drags(page: Page, address: str, model: str, data_dir: str, drags: int) -> dict[str, Any]:
    """Milliseconds from the end of each drag to the first figures, row by row, and of each event to its picture."""
    show(page, address, f"sample:{model}", data_dir)
    bars = page.locator(".board .rows .cut")
    first, again, repaired = [], [], []
    for number in range(drags):
        # Another place each time: a plan that was measured before is answered from memory.
        drag(page, bars.nth(number % bars.count()), 0.0, 0.0, 0.15 + 0.5 * ((0.618 * number) % 1))
        page.wait_for_function("() => watch.first && watch.again", timeout=60_000)
        first.append(page.evaluate("watch.first"))
        again.append(page.evaluate("watch.again"))
        if model in REPAIRED:
            page.wait_for_function("() => watch.repaired", timeout=60_000)
            repaired.append(page.evaluate("watch.repaired"))
        page.wait_for_selector(SETTLED)
        page.wait_for_timeout(300)
    painted = page.evaluate("watch.painted")
    found: dict[str, Any] = {"event_to_screen_ms": _summary(painted), "drag_to_as_cut_ms": _summary(first)}
    if page.locator(".px-live", has_text="recalibrated ·").count():  # with batch normalisation only
        found["drag_to_recalibrated_ms"] = _summary(again)
    if repaired:
        found["drag_to_repaired_ms"] = _summary(repaired)
    return found


def many_rows(page: Page, address: str) -> dict[str, Any]:
    """Events of two long drags in a network of many rows, and how many of them the tiles followed."""
    show(page, address, "torchvision:resnet152", "")
    rows = page.locator(".board .row[data-name]").count()
    results = {}
    for name, bars in (
        ("one_row", page.locator(".board .rows .cut").nth(3)),
        ("all_rows", page.get_by_label("all rows that are not locked", exact=True)),
    ):
        page.evaluate("() => Object.assign(watch, {events: 0, painted: [], before: watch.told()})")
        drag(page, bars, DRAG_SECONDS, 0.0, 0.4)
        page.wait_for_timeout(500)
        events, followed = page.evaluate("[watch.events, watch.told() - watch.before]")
        results[name] = {"events": events, "followed": followed,
                         "event_to_screen_ms": _summary(page.evaluate("watch.painted"))}  # fmt: skip
    page.wait_for_selector(SETTLED)
    return {"rows": rows, **results}


def opening(page: Page, address: str) -> float:
    """Seconds from the click on Prune to resnet50's board; another page has opened the network before."""
    page.goto(f"{address}/explore?model=torchvision:resnet50", wait_until="domcontentloaded")
    page.locator(".js-plotly-plot").first.wait_for()
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(1000)
    started = time.perf_counter()
    page.locator("a[data-testid=stTopNavLink]", has_text="Prune").click()
    page.locator(".board .row:not(.head) canvas").first.wait_for()
    return round(time.perf_counter() - started, 2)


def _summary(milliseconds: list[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {
        "median": round(statistics.median(ordered), 1),
        "p90": round(ordered[int(0.9 * (len(ordered) - 1))], 1),
        "largest": round(ordered[-1], 1),
        "count": len(ordered),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True, help="folder with cifar10.zip")
    parser.add_argument("--drags", type=int, default=15)
    args = parser.parse_args()
    figures: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory() as runs,
        serving(PRUNING_RUNS=runs, OMP_NUM_THREADS="1") as address,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        for model in dict.fromkeys((*AS_CUT_MS, *REPAIRED)):
            figures[model] = accuracy_after_drags(page, address, model, args.data_dir, args.drags)
            say(f"{model}: {figures[model]}")
        figures["resnet50_board_seconds"] = opening(page, address)
        say(f"resnet50's board: {figures['resnet50_board_seconds']} s")
        figures["resnet152"] = many_rows(page, address)
        say(f"resnet152: {figures['resnet152']}")
        browser.close()
    many = figures["resnet152"]
    drags = [many["one_row"], many["all_rows"]]
    events = [part["event_to_screen_ms"]["median"] for part in (*(figures[model] for model in AS_CUT_MS), *drags)]
    checks = {
        "event_to_screen": max(events) <= EVENT_MS,
        "as_cut": all(figures[m]["drag_to_as_cut_ms"]["median"] <= most for m, most in AS_CUT_MS.items()),
        "recalibrated": figures["resnet20"]["drag_to_recalibrated_ms"]["median"] <= RECALIBRATED_MS,
        "repaired": all(figures[m]["drag_to_repaired_ms"]["median"] <= REPAIRED_MS for m in REPAIRED),
        "no_event_lost": many["rows"] >= ROWS and all(part["events"] == part["followed"] > 0 for part in drags),
        "opens": figures["resnet50_board_seconds"] <= OPEN_SECONDS,
    }
    claim = (
        f"numbers within {EVENT_MS} ms of a drag's event; first accuracy as cut within 250 ms (lenet5) and 500 ms "
        "(resnet20), recalibrated within 1.5 s, repaired coarsely within 2.5 s; "
        f"{ROWS} rows lose no event; resnet50's board within 3 s"
    )
    return report("board", claim, all(checks.values()), {"checks": checks, **figures})


if __name__ == "__main__":
    sys.exit(main())
