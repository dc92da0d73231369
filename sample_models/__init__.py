"""Trained sample networks that come with the explorer. `SAMPLES` lists them; `Sample.load` gives one, trained."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample network."""

    name: str
    title: str
    story: str
    """One sentence: what it is good for."""
    factory: str
    """What builds it, in `sample_models.architectures`: named, so that the list of samples needs no torch."""
    trained_on: str
    """Data set whose train images it learnt from."""
    data: tuple[str, ...]
    """Data sets whose images it can answer to, the one to begin with first."""
    input_shape: tuple[int, int, int]

    @property
    def weights_path(self) -> Path:
        return WEIGHTS / f"{self.name}.safetensors"

    @property
    def provenance_path(self) -> Path:
        return WEIGHTS / f"{self.name}.json"

    def build(self) -> nn.Module:
        """The network with fresh random weights."""
        network: nn.Module = getattr(importlib.import_module("sample_models.architectures"), self.factory)()
        return network

    def load(self) -> nn.Module:
        """The trained network, in eval mode."""
        from safetensors.torch import load_file

        model = self.build()
        model.load_state_dict(load_file(self.weights_path))
        return model.eval()

    def provenance(self) -> dict[str, Any]:
        """How the weights came about: data, roles, epochs, seed, accuracy on which images."""
        record: dict[str, Any] = json.loads(self.provenance_path.read_text())
        return record


SAMPLES: dict[str, Sample] = {
    sample.name: sample
    for sample in (
        Sample(
            name="mini_resnet",
            title="Mini ResNet",
            story="A residual network so small that pruning hurts early: the one to learn with.",
            factory="mini_resnet",
            trained_on="mnist",
            data=("mnist5k", "mnist"),
            input_shape=(1, 28, 28),
        ),
        Sample(
            name="lenet5",
            title="LeNet-5",
            story="The classic of the pruning literature: most of its 430,500 weights can go.",
            factory="LeNet5",
            trained_on="mnist",
            data=("mnist5k", "mnist"),
            input_shape=(1, 28, 28),
        ),
        Sample(
            name="lenet300",
            title="LeNet-300-100",
            story="Three linear layers: neurons to remove, no convolutions.",
            factory="LeNet300",
            trained_on="mnist",
            data=("mnist5k", "mnist"),
            input_shape=(1, 28, 28),
        ),
        Sample(
            name="resnet20",
            title="ResNet-20",
            story="The standard small network of the field, on photos; residual sums tie its layers together.",
            factory="resnet20",
            trained_on="cifar10",
            data=("cifar10",),
            input_shape=(3, 32, 32),
        ),
        Sample(
            name="vgg_small",
            title="VGG small",
            story="A plain stack of convolutions on photos: every layer has its own slider.",
            factory="VGGSmall",
            trained_on="cifar10",
            data=("cifar10",),
            input_shape=(3, 32, 32),
        ),
    )
}
