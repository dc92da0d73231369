"""What a bundle is made of: one record, whether it comes from a run or from modules of this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from pruning.base.errors import InputError
from pruning.catalog.architecture import Architecture
from pruning.data.preprocess import Preprocess
from pruning.export.bundle.encoding import encoded
from pruning.graph.inputs import Inputs
from pruning.graph.outputs import output_tensors


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """Inputs that go along, since somebody agreed to it."""

    inputs: Tensor
    """As the network sees them, N first."""
    pixels: Tensor | None = None
    """The same before they are normalised: uint8, N × C × H × W; None where they come from elsewhere."""
    labels: tuple[int, ...] = ()
    """Of each the output that is right; empty where nobody says."""
    source: str = ""
    """Where they come from, in words: '`select` images of the data set'."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """A pruned network and all that is known of it. Its module is nobody else's: forms may run it, not change it."""

    name: str
    """Of the run, for names of files."""
    title: str
    model: nn.Module
    """Pruned, in eval mode."""
    dense: Callable[[], nn.Module]
    """Opens the unpruned network with its weights. Raises PruningError where it is gone."""
    inputs: Inputs
    architecture: Architecture | None
    """What builds the unpruned network; None where that is not known."""
    unknown: str = ""
    """Why it is not, in a whole sentence."""
    held_zero: tuple[str, ...] = ()
    """Weights whose zeros were pruned."""
    classes: tuple[str, ...] = ()
    """Of each output the name; empty where nobody says."""
    preprocess: Preprocess | None = None
    recipe: str | None = None
    """Recipe file, without folders of this machine."""
    origin: Mapping[str, Any] = field(default_factory=dict)
    """Where network and figures come from, ready for JSON and without folders of this machine."""
    licence: str = ""
    """Of the weights that it began with; '' where that is not known."""
    ledger: str = ""
    """Dense beside pruned, as Markdown with a badge at every number."""
    verdict: str = ""
    """What came of it, in one line."""
    remarks: tuple[str, ...] = ()
    """What was guessed, left out or noticed, each a whole sentence."""
    samples: Samples | None = None
    bench: Callable[[], Mapping[str, Any]] | None = None
    """What `bench.py` times beside whole networks, ready for JSON (`pruning.latency.abroad`); None where that is not
    known."""
    run: Mapping[str, Any] | None = None
    """Of a run what the explorer opens it again with (`pruning.runs.bundled`), ready for JSON."""

    @property
    def parameters(self) -> int:
        """Of the pruned network."""
        return sum(parameter.numel() for parameter in self.model.parameters())


def example_values(inputs: Inputs) -> tuple[list[dict[str, Any]], Any]:
    """What a network takes, as `config.json` has it: shape (None: the batch) and type of each tensor; and the call, in
    which tensors stand by number.

    Raises:
        NotPlain: something else than tensors and plain values is handed over.
    """
    places = {id(tensor): place for place, tensor in enumerate(inputs.tensors)}
    call = encoded(
        {"args": list(inputs.args), "kwargs": dict(inputs.kwargs or {})}, keep=lambda tensor: str(places[id(tensor)])
    )
    shapes = [
        {
            "shape": [None if place == dim else size for place, size in enumerate(tensor.shape)],
            "dtype": str(tensor.dtype).removeprefix("torch."),
        }
        for tensor, dim in zip(inputs.tensors, inputs.dims, strict=True)
    ]
    return shapes, call


def holding(inputs: Inputs, tensor: Tensor) -> Inputs:
    """Inputs with another tensor in place of their only one.

    Raises:
        InputError: there are several.
    """
    if len(inputs.tensors) != 1:
        raise InputError(f"Samples are one tensor, and this network takes {len(inputs.tensors)}: leave samples out.")
    args, kwargs = pytree.tree_map_only(Tensor, lambda _: tensor, (inputs.args, inputs.kwargs))
    return Inputs(args, kwargs, inputs.dims)


@torch.no_grad()
def answers(model: nn.Module, inputs: Inputs) -> list[Tensor]:
    """What a network gives for inputs."""
    return [tensor.detach() for tensor in output_tensors(inputs.call(model))]
