"""What the tests in a browser share: the app on a free port, and a window of Chromium."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).parents[2]
FLAGS = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 180_000
"""Milliseconds for one step; on an idle machine each takes a second or two."""


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app under test keeps its `runs` and its `cache`."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def server(home: Path) -> Iterator[str]:
    """The app on a free port; one for all tests, each of which comes as a new visitor."""
    with serving(home) as address:
        yield address


@pytest.fixture
def public_server(tmp_path: Path) -> Iterator[str]:
    """The app as others reach it, with runs and cache of its own."""
    (tmp_path / "pruning.toml").write_text("[server]\npublic = true\n")
    with serving(tmp_path, PRUNING_SETTINGS=str(tmp_path / "pruning.toml")) as address:
        yield address


@contextmanager
def serving(home: Path, **more: str) -> Iterator[str]:
    """The app on a free port, which keeps what it keeps below `home`; `more` of the environment."""
    if not CHROMIUM.is_file():
        pytest.skip(f"Chromium is absent: there is no {CHROMIUM}")
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
        "PRUNING_RUNS": str(home / "runs"),
        "PRUNING_CACHE": str(home / "cache"),
        **more,
    }
    with (home / "server.log").open("wb") as log:
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
    if not CHROMIUM.is_file():
        pytest.skip(f"Chromium is absent: there is no {CHROMIUM}")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        window = browser.new_page(viewport={"width": 1280, "height": 800})
        window.set_default_timeout(PATIENCE)
        yield window
        browser.close()


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
