"""A bundle from a run's page: downloaded, loaded where nothing of the explorer is, and sent back as a run."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pruning.runs import create_run, execute, read_run, read_runs
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec
from tests.browser.steps import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NAME = "bundled"


@pytest.fixture(scope="module")
def downloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves the file for the others."""
    return tmp_path_factory.mktemp("downloaded") / "net.zip"


def test_a_bundle_is_made_and_downloaded(server: str, home: Path, page: Page, downloaded: Path) -> None:
    recipe = Recipe(model="sample:lenet5", data="mnist5k", prune=PruneSpec(sparsity=0.5))
    execute(create_run(recipe, path=home / "runs" / NAME))
    page.goto(f"{server}/prune?run={NAME}", wait_until="domcontentloaded")
    page.get_by_role("button", name="Bundle").click()
    offered = page.get_by_test_id("stPopoverBody")
    offered.get_by_role("button", name="Make the bundle").click()
    offered.get_by_role("button", name="Download bundle").wait_for()
    with page.expect_download() as download:
        offered.get_by_role("button", name="Download bundle").click()
    download.value.save_as(downloaded)
    with zipfile.ZipFile(downloaded) as archive:
        names = {name.rpartition("/")[2] for name in archive.namelist()}
    assert {"load.py", "model.safetensors", "config.json", "model.pt2", "proof.json", "README.md", "bench.py"} <= names
    assert "samples.npz" not in names, "nobody agreed to images"


def test_what_was_downloaded_works_where_nothing_of_ours_is(downloaded: Path, tmp_path: Path) -> None:
    if not downloaded.is_file():
        pytest.skip("no bundle was downloaded")
    with zipfile.ZipFile(downloaded) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    code = "import load; m = load.load(); import torch; print(tuple(m(torch.zeros(3, 1, 28, 28)).shape))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0 and done.stdout.strip() == "(3, 10)", done.stderr


def test_what_was_downloaded_is_sent_back_as_a_run(server: str, home: Path, page: Page, downloaded: Path) -> None:
    if not downloaded.is_file():
        pytest.skip("no bundle was downloaded")
    before = {run.name for run in read_runs(home / "runs").runs}
    page.goto(f"{server}/explore?yours=network", wait_until="domcontentloaded")
    page.get_by_text("from a bundle").click()
    page.get_by_role("button", name="Send the bundle").click()
    page.locator("input[type=file]").set_input_files(downloaded)
    page.get_by_text("from a bundle").wait_for(state="detached")
    settle(page)
    (run,) = (run for run in read_runs(home / "runs").runs if run.name not in before)
    assert run.result == read_run(home / "runs" / NAME).result
