"""LSTM, GRU and plain recurrent layers: hidden unit j is one unit, in every gate, layer and direction."""

from __future__ import annotations

import math

from pruning.graph.labels import Value, along, varying
from pruning.graph.rules.call import Call, Contraction, Result


def lstm(call: Call) -> Result:
    return _recurrent(call, "lstm", gates=4)


def gru(call: Call) -> Result:
    return _recurrent(call, "gru", gates=3)


def rnn(call: Call) -> Result:
    """Plain recurrent layers, of either activation."""
    return _recurrent(call, "rnn", gates=1)


def _recurrent(call: Call, kind: str, *, gates: int) -> Result:
    labels = call.labels
    source = call.value(call["input"])
    nodes = list(call["params"] or [])
    biased, layers, both = bool(call["has_biases"]), int(call["num_layers"]), bool(call["bidirectional"])
    directions = 2 if both else 1
    per = 4 if biased else 2
    values = [call.value(node) for node in nodes]
    if source is None or any(value is None for value in values) or len(nodes) != per * layers * directions:
        return None
    first_hidden = values[1].layer(1) if values[1] is not None else None
    if first_hidden is None:
        return None
    hidden = first_hidden.reshape(-1)
    rank = len(source.shape)
    steps = math.prod(source.shape[:-1]) // call.walk.trace.batch
    incoming = source.layer(rank - 1)
    for layer in source.layers:
        if varying(layer) != (rank - 1,):
            labels.lock(layer, call.why("runs along them"))
            incoming = None if layer is incoming else incoming
    for number in range(layers * directions):
        for offset, node in enumerate(nodes[number * per : (number + 1) * per]):
            value = call.value(node)
            rows = value.layer(0) if value is not None else None
            if value is None or rows is None:
                return None
            labels.join(rows.reshape(gates, -1), hidden)
            if offset > 1:
                continue
            labels.produced.append(rows.reshape(-1))
            name = call.tensor_name(node)
            if name is not None:
                call.walk.contractions.append(
                    Contraction(
                        layer=name,
                        tensor=name,
                        kind=kind,
                        macs_per_weight=steps,
                        output_shape=call.shape[1:],
                        output_dim=len(call.shape) - 2,
                        channel_dim=len(call.shape) - 1,
                    )
                )
            columns = value.layer(1)
            if columns is None:
                continue
            reading = columns.reshape(-1)
            labels.consumed.append(reading)
            if offset == 1:
                labels.join(reading, hidden)
            elif number >= directions:
                labels.join(reading.reshape(directions, -1), hidden)
            elif incoming is not None:
                labels.join(reading, incoming.reshape(-1))
            else:
                labels.lock(reading, call.why("reads values that no layer makes"))
    states = call["hx"]
    for state in states if isinstance(states, list | tuple) else [states]:
        given = call.value(state)
        start = given.layer(len(given.shape) - 1) if given is not None else None
        if start is not None:
            labels.join(labels.slab(start, start.dim() - 1), hidden)
        elif given is not None:
            labels.lock(hidden, call.why("starts from a state that is given to it"))
    outputs = call.node.meta["val"]
    results = []
    for number, output in enumerate(outputs):
        vector = hidden.repeat(directions) if number == 0 else hidden
        results.append(Value(tuple(output.shape), (along(vector, output.dim() - 1, output.dim()),)))
    return tuple(results)
