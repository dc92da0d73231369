"""How long until a newcomer can use the first page?

    python -m benchmarks.startup [--starts 3]

Claim: usable within 10 s of the server's start. The clock runs from starting the server process to the first picture
(the page's title) and to the first usable page (slider there, measured accuracy shown); a fresh server each time, the
browser itself already open. Needs Chromium.
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
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.common import answers, report, say

LIMIT = 10.0
ROOT = Path(__file__).parents[1]
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"]


def once(browser: Browser, cache: str) -> dict[str, float]:
    """Seconds from the server's start to health, first picture, first usable page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true",
               f"--server.port={address.rpartition(':')[2]}", "--server.address=127.0.0.1"]  # fmt: skip
    started = time.perf_counter()
    server = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PRUNING_CACHE": cache}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not answers(f"{address}/_stcore/health"):
            time.sleep(0.02)
        seconds = {"server_answers": time.perf_counter() - started}
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        page.goto(address, wait_until="domcontentloaded")
        page.get_by_role("heading", name="How much of a network").wait_for()
        seconds["first_picture"] = time.perf_counter() - started
        page.get_by_text("as cut").first.wait_for()
        page.locator("input[type=range]").first.wait_for()
        seconds["usable"] = time.perf_counter() - started
        page.close()
        return {name: round(value, 2) for name, value in seconds.items()}
    finally:
        server.terminate()
        server.wait(30)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=3)
    args = parser.parse_args()
    runs: list[dict[str, Any]] = []
    with sync_playwright() as play, tempfile.TemporaryDirectory() as cache:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for _ in range(args.starts):
            runs.append(once(browser, cache))
            say(str(runs[-1]))
        browser.close()
    median = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    holds = max(run["usable"] for run in runs) <= LIMIT
    return report("startup", f"usable within {LIMIT:g} s", holds, {"median_seconds": median, "starts": runs})


if __name__ == "__main__":
    sys.exit(main())
