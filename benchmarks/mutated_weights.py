"""Files of weights that `benchmarks.mutations` damages: what must come of each is its weights or a sentence, and no
code that lies in it is run."""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from pruning.base.errors import InputError
from pruning.catalog.weights.loading import load_state_file
from pruning.catalog.weights.summary import state_summary

RAN = "ran"
"""What a file's code would leave beside it."""


class Bomb:
    """Unpickled, it runs a command: whoever opens a file with one must not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.folder / RAN}'",)


def network() -> nn.Module:
    """A small one, with all that a state dict may hold."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 5))


def suitcase(folder: Path) -> dict[str, Any]:
    """A checkpoint of a training script."""
    state = network().state_dict()
    return {
        "state_dict": {f"module.{name}": tensor for name, tensor in state.items()},
        "ema": {name: tensor.half() for name, tensor in state.items()},
        "args": argparse.Namespace(lr=0.1, data=pathlib.PurePosixPath("x"), names=["a", "b"]),
        "class_names": ["a", "b", "c", "d", "e"],
        "epoch": 3,
    }


def written(name: str, content: Callable[[Path], Any], legacy: bool = False) -> Callable[[Path], None]:
    """Writes a file of torch.save into a new folder."""

    def make(folder: Path) -> None:
        folder.mkdir()
        torch.save(content(folder), folder / name, _use_new_zipfile_serialization=not legacy)

    return make


def make_safetensors(folder: Path) -> None:
    """Writes a file of safetensors into a new folder."""
    folder.mkdir()
    save_file(network().state_dict(), folder / "w.safetensors", metadata={"class_names": '["a", "b"]'})


def show_weights(name: str, hostile: bool = False) -> Callable[[Path], None]:
    """Reads a file's names and shapes, and the weights into a network; no code of it may have run.

    `hostile`: it is refused as it is, so that a refusal is a reading."""

    def show(folder: Path) -> None:
        try:
            with contextlib.suppress(*((InputError,) if hostile else ())):
                assert state_summary(folder / name).words
                load_state_file(network(), folder / name)
        finally:
            assert sorted(one.name for one in folder.iterdir()) == [name], "something was written"

    return show


WEIGHTS = {
    "zipped": (written("w.pt", suitcase), "w.pt"),
    "legacy": (written("w.pth", suitcase, legacy=True), "w.pth"),
    "safetensors": (make_safetensors, "w.safetensors"),
}
"""Name → what makes the folder, and the file that is mutated."""
HOSTILE = {
    "code": (written("w.pt", lambda folder: {**suitcase(folder), "x": Bomb(folder)}), "w.pt"),
    "code, legacy": (written("w.pt", lambda folder: {**suitcase(folder), "x": Bomb(folder)}, legacy=True), "w.pt"),
    "whole network": (written("w.pt", lambda folder: network()), "w.pt"),
}
"""The same of files that are refused as they are."""
