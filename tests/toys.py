"""Images, a task and a network that the explorer knows nothing of: a data set that is read as it is asked for, and
whose images are answered with a number and not with a class. Tests add them to the tables, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from pruning.catalog.openers import open_network
from pruning.data import readers
from pruning.data.info import DataInfo, Progress, Role
from pruning.data.memory import MemoryData
from pruning.data.preprocess import Preprocess
from pruning.data.protocol import Data
from pruning.data.reader import Reader
from pruning.data.readers import READERS, open_data
from pruning.data.streamed import StreamedData
from pruning.tasks.means import mean_difference, mean_interval
from pruning.tasks.metric import Metric
from pruning.tasks.table import TASKS
from pruning.tasks.task import Task
from pruning.training.finetune import TrainConfig, train

# A toy data set: blobs of light on black, drawn when they are asked for. No classes, no labels.

SIZES: dict[Role, int] = {"train": 240, "select": 90, "test": 60}
BLOBS = DataInfo(
    name="toy:12", title="Blobs of light", classes=(), shape=(3, 12, 12), mean=(0.2, 0.2, 0.2), std=(0.3, 0.3, 0.3),
    sizes=SIZES, shift=0, flips=True, embedded=True, task="brightness", things="blobs",
)  # fmt: skip


def draw_blobs(role: Role, index: Tensor) -> Tensor:
    """Each image by its own seed: a disc of a colour, a size and a place."""
    places = torch.arange(12.0)
    found = []
    for number in index.tolist():
        lots = torch.Generator().manual_seed(1000 * ("train", "select", "test").index(role) + number)
        x, y, size = (torch.rand(3, generator=lots) * torch.tensor([12.0, 12.0, 5.0])).tolist()
        disc = ((places[:, None] - y) ** 2 + (places - x) ** 2 < (1 + size) ** 2).float()
        found.append((torch.rand(3, 1, 1, generator=lots) * disc * 255).to(torch.uint8))
    return torch.stack(found)


READER = Reader(
    kind="toy",
    form="toy:PIXELS",
    takes=lambda reference: reference.startswith("toy:"),
    describe=lambda reference, preprocess=None: replace(BLOBS, name=reference),
    is_available=lambda reference, data_dir: True,
    open=lambda reference, data_dir, download, progress, preprocess=None: StreamedData(
        info=replace(BLOBS, name=reference), read=draw_blobs, truth={}, digest="b" * 64, source="drawn in a test"
    ),
)


def own_digits(*, is_path: bool = False) -> Reader:
    """The built-in digits as images of one's own, which fit what was trained on MNIST: `own:NAME`."""

    def describe(reference: str, preprocess: Preprocess | None = None) -> DataInfo:
        return replace(READERS["mnist5k"].describe("mnist5k"), name=reference, title="Digits of one's own")

    def opened(
        reference: str,
        data_dir: str | None,
        download: bool,
        progress: Progress | None,
        preprocess: Preprocess | None = None,
    ) -> Data:
        data = READERS["mnist5k"].open("mnist5k", data_dir, download, progress)
        assert isinstance(data, MemoryData)
        return replace(data, info=describe(reference))

    return Reader(
        kind="own",
        form="own:NAME",
        takes=lambda reference: reference.startswith("own:"),
        describe=describe,
        is_available=lambda reference, data_dir: True,
        open=opened,
        is_path=is_path,
    )


# A toy task: say how bright the image is.


def brightness(data: Data, role: Role, index: Tensor) -> Tensor:
    """What is right: read from the images themselves, for there are no labels."""
    return data.images(role, index).float().mean((1, 2, 3))[:, None] / 255


def distance(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).abs().reshape(-1).nan_to_num(1.0)


def close(first: Tensor, second: Tensor) -> Tensor:
    return distance(first, second) < 0.01


def unchanged(outputs: Tensor) -> Tensor:
    return outputs


def no_number(shape: tuple[int, ...], info: DataInfo) -> str | None:
    return None if shape[1:] == (1,) else "it does not say one number"


def a_quarter(info: DataInfo) -> float:
    return 0.25


ERROR = Metric(
    name="mean_error", title="mean error", unit="levels", unit_of_change="levels", scale=255.0, digits=2,
    higher_is_better=False, bounds=(0.0, float("inf")), score=distance, interval=mean_interval,
    difference=mean_difference, guess=a_quarter,
)  # fmt: skip
TASK = Task(
    name="brightness", title="Brightness", metric=ERROR, targets=brightness, loss=F.mse_loss, distance=F.mse_loss,
    same_answer=close, as_targets=unchanged, misfit=no_number,
)  # fmt: skip

# A toy network from a file of one's own.

NETWORK = """
from torch import nn

def build():
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 1),
    )
    return net, (3, 12, 12)
"""
RECIPE = {
    "data": "toy:12", "sparsity": 0.5, "schedule": "iterative", "iterations": 2, "finetune_steps": 24, "batch_size": 32,
    "lr": 0.02,
}  # fmt: skip


@contextmanager
def added() -> Iterator[pytest.MonkeyPatch]:
    """The two rows in their tables, and the images never in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(READERS, "toy", READER)
        patch.setitem(TASKS, "brightness", TASK)
        patch.setattr(readers, "IN_MEMORY", 0)  # so small a set would be read at once
        yield patch


def learnt_in(folder: Path) -> str:
    """Train the network, and write it into a folder: its reference."""
    (folder / "net.py").write_text(NETWORK)
    ref = f"file:{folder}/net.py:build"
    model, data = open_network(ref).model, open_data("toy:12")
    assert isinstance(data, StreamedData)
    train(model, data, TrainConfig(steps=150, batch_size=32, lr=0.05))
    save_file(model.state_dict(), folder / "net.safetensors")
    return f"{ref}?weights={folder}/net.safetensors"
