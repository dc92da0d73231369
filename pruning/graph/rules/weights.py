"""Calls that compute a layer's weight from other tensors (re-parametrisation)."""

from __future__ import annotations

import math

from pruning.catalog.shrinkage import Gain
from pruning.graph.labels import Value
from pruning.graph.rules.call import Call, Result
from pruning.graph.rules.elementwise import join_all


def weight_norm(call: Call) -> Result:
    """A weight of fixed norm, g · v / ‖v‖ (Salimans 2016, arXiv 1602.07868).

    The gain g follows what goes of the direction v, so that what is left of the weight is what it was. What the norm
    is taken over stays only where the gain has other uses, or is computed itself.
    """
    direction, gain = call.value(call["v"]), call.value(call["g"])
    if direction is None or gain is None:
        return None
    dim = 0 if call["dim"] is None else int(call["dim"])
    each = -1 if dim == -1 else dim % len(direction.shape)  # torch takes -1 for one norm of all, not for the last
    found = _gain(call, direction, gain, each)
    if found is not None:
        call.walk.gains.append(found)
    else:
        for layer in direction.layers:
            if each == -1 or layer.shape[each] == 1:
                call.labels.lock(layer, call.why("scales the weight by its norm over them"))
    out = join_all(call, [direction, gain], direction.shape)
    return (out, gain) if isinstance(call.node.meta["val"], list | tuple) else out


def _gain(call: Call, direction: Value, gain: Value, each: int) -> Gain | None:
    """The direction and gain of a weight, where both are tensors of the network and the gain serves nothing else."""
    names = call.tensor_name(call["v"]), call.tensor_name(call["g"])
    if names[0] is None or names[1] is None:
        return None
    if each == -1:
        fits = math.prod(gain.shape) == 1
    else:
        fits = gain.shape == tuple(size if d == each else 1 for d, size in enumerate(direction.shape))
    tensors = call.walk.trace.tensors
    readers = [reader for node in call.walk.trace.nodes if tensors.get(node.name) == names[1] for reader in node.users]
    alike = all(
        reader.target == call.node.target
        and [tensors.get(source.name) for source in reader.all_input_nodes] == list(names)
        and reader.args[2:] == call.node.args[2:]
        for reader in readers
    )
    return Gain(direction=names[0], gain=names[1], dim=each) if fits and alike else None
