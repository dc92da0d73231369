"""A network on an engine as a module, to be measured on images like any other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pruning.graph.inputs import Inputs
from pruning.latency.engines.candidate import Candidate
from pruning.latency.engines.engine import Engine, Loaded


class Answering(nn.Module):
    """Gives the first output of a network that runs on an engine. It has no parameters, and cannot be trained."""

    def __init__(self, engine: Engine, candidate: Candidate, threads: int) -> None:
        super().__init__()
        self._engine, self._candidate, self._threads = engine, candidate, threads
        self._loaded: dict[int, Loaded] = {}

    def forward(self, images: Tensor) -> Tensor:
        """Raises InputError where the engine cannot run it."""
        size = len(images)
        if size not in self._loaded:
            self._loaded[size] = self._engine.load(self._candidate, size, self._threads)
        found = self._loaded[size](Inputs.of(images.contiguous()))()
        return torch.as_tensor(found[0]).clone()
