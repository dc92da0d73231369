"""Random inputs for a proof, with which a network packs sequences as long as those of the example."""

from __future__ import annotations

import torch
from torch import nn

from pruning.graph.inputs import Inputs, Way
from pruning.graph.packed import Steps, steps_of


def draw_inputs(model: nn.Module, inputs: Inputs, steps: tuple[Steps, ...], seed: int) -> Inputs:
    """As many random samples as in `inputs`, float64. Where lengths are found in them (a mask, rows of zeros), numbers
    are scaled, which leaves zeros as they are, or stay.

    `steps`: of the sequences that the network packs, which must be the same.
    """
    batch, ways = inputs.batch, [Way.SPREAD] * len(inputs.tensors)
    if not steps:
        return inputs.random(batch, torch.float64, seed, ways)
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    ways = [Way.OWN] * len(ways)
    for place, tensor in enumerate(inputs.tensors):
        for way in (Way.SPREAD, Way.SCALED) if tensor.is_floating_point() else ():
            tried = [*ways[:place], way, *ways[place + 1 :]]
            if _packs(model, inputs.random(batch, torch.float64, seed, tried).cast(dtype), steps):
                ways = tried
                break
    return inputs.random(batch, torch.float64, seed, ways)


def _packs(model: nn.Module, inputs: Inputs, steps: tuple[Steps, ...]) -> bool:
    try:
        return steps_of(model, inputs, False) == steps
    except Exception:  # lengths of 0, or longer than the data
        return False
