"""Inputs as engines for ONNX files take them: arrays by name."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from pruning.graph.inputs import Inputs
from pruning.onnx.write import Written


def arrays_of(file: Written, inputs: Inputs) -> dict[str, NDArray[np.generic]]:
    """An array for each input of a file, in memory of its own and in one piece."""
    tensors = inputs.cast(torch.float32).tensors
    return {
        name: np.ascontiguousarray(tensor.detach().numpy()).copy()
        for name, tensor in zip(file.inputs, tensors, strict=True)
    }
