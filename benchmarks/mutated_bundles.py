"""Bundles that `benchmarks.mutations` damages: what must come of each is a run that can be shown, or a sentence; no
code that lies in one is run."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.mutated_weights import RAN, Bomb
from pruning.export.bundle.of_run import export_run
from pruning.runs import read_run
from pruning.runs.bundled import CONFIG, RUN
from pruning.runs.take_in import WEIGHTS, take_in

ZIP, FOLDER = "bundle.zip", "bundle"


def made(run: Path) -> Callable[[Path], None]:
    """Makes the bundle of a run, as a folder and as a zip file. Each file of code in it leaves a file when it is run,
    and so does `model.pt2` when it is unpickled."""

    def make(folder: Path) -> None:
        folder.mkdir()
        bundle = folder / FOLDER
        export_run(read_run(run), bundle, forms=("weights",))
        for path in bundle.rglob("*.py"):
            path.write_text(f"open({str(folder / RAN)!r}, 'w').close()\n{path.read_text()}")
        torch.save(Bomb(folder), bundle / "model.pt2")
        with zipfile.ZipFile(folder / ZIP, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(bundle.rglob("*")):
                archive.write(path, path.relative_to(folder))

    return make


def show(name: str, run: Callable[[Path], object]) -> Callable[[Path], None]:
    """Takes the bundle in and shows the run with `run`; where it is refused, nothing of it is left."""

    def read(folder: Path) -> None:
        runs = folder / "runs"
        runs.mkdir(exist_ok=True)
        there = {one.name for one in folder.iterdir()}
        try:
            found = take_in(folder / name, runs)
            try:
                run(found.path)
            finally:
                shutil.rmtree(found.path)
        finally:
            assert not list(runs.iterdir()), "something of it is left"
            assert {one.name for one in folder.iterdir()} == there, "something was run, or written beside it"

    return read


BUNDLES = {
    "zip": (ZIP, ZIP),
    "config": (f"{FOLDER}/{CONFIG}", FOLDER),
    "run": (f"{FOLDER}/{RUN}", FOLDER),
    "weights": (f"{FOLDER}/{WEIGHTS}", FOLDER),
}
"""Name → the file that is mutated, and what is taken in."""
