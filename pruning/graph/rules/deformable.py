"""Convolutions that read each place of their kernel where the network says, not on a grid."""

from __future__ import annotations

from pruning.graph.rules.call import Call, Result
from pruning.graph.rules.contractions import convolved


def deformable_convolution(call: Call) -> Result:
    """A convolution moved by offsets (Dai 2017, arXiv 1703.06211) and weighed by a mask (Zhu 2018, arXiv 1811.11168),
    which have a channel for each place of the kernel and stay. Where parts of the input have offsets of their own,
    these parts stay equally long: the same place goes in each."""
    source = call.value(call["input"])
    if source is None:
        return None
    for name in ("offset", "mask"):
        given = call.value(call[name])
        if given is not None:
            call.labels.lock_value(given, call.why("needs them for the places of its kernel"))
    parts = int(call["offset_groups"])
    for layer in source.layers:
        if layer.shape[1] > 1 and parts > 1:
            call.labels.tie_blocks(layer, 1, source.shape[1] // parts)
    return convolved(call, transposed=False)
