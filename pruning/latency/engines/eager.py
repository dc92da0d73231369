"""PyTorch as it is: one call after the other."""

from __future__ import annotations

import copy
from functools import partial

import torch
from torch import nn

from pruning.graph.inputs import Inputs
from pruning.graph.outputs import output_tensors
from pruning.latency.engines.candidate import Candidate
from pruning.latency.engines.engine import Bound, Engine, Loaded


def load(candidate: Candidate, batch: int, threads: int) -> Loaded:
    """A copy in float32. The number of threads is PyTorch's own (`with_threads`)."""
    return partial(bound, copy.deepcopy(candidate.model).float().eval())


def bound(model: nn.Module, inputs: Inputs) -> Bound:
    """A call of a module on inputs of its own."""
    own = inputs.cast(torch.float32).cloned()
    args, kwargs = own.args, dict(own.kwargs or {})

    def run() -> list[torch.Tensor]:
        with torch.no_grad():
            found = model(*args, **kwargs)
        return [found] if isinstance(found, torch.Tensor) else output_tensors(found)

    return run


EAGER = Engine(
    name="eager",
    title="PyTorch eager",
    takes_layers=True,
    explanation="PyTorch as it is, one call after the other: what a training script runs.",
    why_not=lambda: None,
    version=lambda: torch.__version__,
    load=load,
)
