"""LSTM, GRU and plain recurrent layers and cells: hidden unit j is one unit, in every gate, layer and direction."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from torch import Tensor

from pruning.graph.labels import Value, along, varying
from pruning.graph.rules.call import Call, Contraction, Result


def lstm(call: Call) -> Result:
    return _recurrent(call, "lstm", gates=4)


def gru(call: Call) -> Result:
    return _recurrent(call, "gru", gates=3)


def rnn(call: Call) -> Result:
    """Plain recurrent layers, of either activation."""
    return _recurrent(call, "rnn", gates=1)


def lstm_cell(call: Call) -> Result:
    return _cell(call, "lstm", gates=4)


def gru_cell(call: Call) -> Result:
    return _cell(call, "gru", gates=3)


def rnn_cell(call: Call) -> Result:
    """Plain recurrent cells, of either activation."""
    return _cell(call, "rnn", gates=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Step:
    """The weights of one layer in one direction."""

    reads: Any
    """The weight that reads the input: gates · hidden × input."""
    turns: Any
    """The weight that reads the state: gates · hidden × hidden."""
    biases: tuple[Any, ...]


def _recurrent(call: Call, kind: str, *, gates: int) -> Result:
    nodes = list(call["params"] or [])
    biased, layers, both = bool(call["has_biases"]), int(call["num_layers"]), bool(call["bidirectional"])
    directions = 2 if both else 1
    per = 4 if biased else 2
    if len(nodes) != per * layers * directions:
        return call.unknown("projects its hidden units (proj_size), whose channels are not followed")
    parts = [nodes[start : start + per] for start in range(0, len(nodes), per)]
    steps = [_Step(reads=part[0], turns=part[1], biases=tuple(part[2:])) for part in parts]
    hidden, source = _hidden_units(call, steps), call.value(call["input"])
    if hidden is None or source is None:
        return None
    incoming = _incoming(call, source)
    for number, step in enumerate(steps):
        _couple_gates(call, step, hidden, gates)
        reading = _read(call, step.reads)
        if reading is not None and number >= directions:
            call.labels.join(reading.reshape(directions, -1), hidden)
        elif reading is not None:
            _meet(call, reading, incoming)
        _note_uses(call, step, kind, source)
    _start_from(call, hidden)
    results = []
    for number, output in enumerate(call.node.meta["val"]):
        vector = hidden.repeat(directions) if number == 0 else hidden
        results.append(Value(tuple(output.shape), (along(vector, output.dim() - 1, output.dim()),)))
    return tuple(results)


def _cell(call: Call, kind: str, *, gates: int) -> Result:
    """One step of a sequence, which the network's own loop may take many times."""
    biases = tuple(call[name] for name in ("b_ih", "b_hh") if call[name] is not None)
    step = _Step(reads=call["w_ih"], turns=call["w_hh"], biases=biases)
    hidden, source = _hidden_units(call, [step]), call.value(call["input"])
    if hidden is None or source is None:
        return None
    _couple_gates(call, step, hidden, gates)
    reading = _read(call, step.reads)
    if reading is not None:
        _meet(call, reading, _incoming(call, source))
    _note_uses(call, step, kind, source)
    _start_from(call, hidden)
    outputs = call.node.meta["val"]
    made = Value(call.shape, (along(hidden, len(call.shape) - 1, len(call.shape)),))
    return (made,) * len(outputs) if isinstance(outputs, list | tuple) else made


def _hidden_units(call: Call, steps: list[_Step]) -> Tensor | None:
    """Labels of the hidden units; None where some weight has no labels of its own for them, as with a single unit."""
    for step in steps:
        for node in (step.reads, step.turns, *step.biases):
            value = call.value(node)
            rows = value.layer(0) if value is not None else None
            if rows is None or varying(rows) != (0,):
                return None
    turns = call.value(steps[0].turns)
    columns = turns.layer(1) if turns is not None else None
    return None if columns is None or varying(columns) != (1,) else columns.reshape(-1)


def _couple_gates(call: Call, step: _Step, hidden: Tensor, gates: int) -> None:
    """Unit j is row j of each gate, in weights and biases, and column j of what reads the state."""
    for node in (step.reads, step.turns, *step.biases):
        rows = _vector(call, node, 0)
        assert rows is not None
        call.labels.join(rows.reshape(gates, -1), hidden)
        if node is step.reads or node is step.turns:
            call.labels.produced.append(rows)
    reading = _read(call, step.turns)
    if reading is not None:
        call.labels.join(reading, hidden)


def _vector(call: Call, node: Any, dim: int) -> Tensor | None:
    value = call.value(node)
    layer = value.layer(dim) if value is not None else None
    return None if layer is None else layer.reshape(-1)


def _read(call: Call, node: Any) -> Tensor | None:
    """Labels of what a weight reads, which is noted."""
    reading = _vector(call, node, 1)
    if reading is not None:
        call.labels.consumed.append(reading)
    return reading


def _incoming(call: Call, source: Value) -> Tensor | None:
    """Labels of the channels that come in; other dimensions stay whole."""
    last = len(source.shape) - 1
    found = None
    for layer in source.layers:
        if varying(layer) == (last,):
            found = layer.reshape(-1)
        else:
            call.labels.lock(layer, call.why("runs along them"))
    return found


def _meet(call: Call, reading: Tensor, incoming: Tensor | None) -> None:
    if incoming is None:
        call.labels.lock(reading, call.why("reads values that no layer makes"))
    else:
        call.labels.join(reading, incoming)


def _start_from(call: Call, hidden: Tensor) -> None:
    """The state a call starts from has the same units."""
    states = call["hx"]
    for state in states if isinstance(states, list | tuple) else [states]:
        given = call.value(state)
        if given is None:
            continue
        last = len(given.shape) - 1
        start = given.layer(last)
        for layer in given.layers:
            if layer is not start:
                call.labels.lock(layer, call.why("runs along them"))
        if start is not None:
            call.labels.join(call.labels.slab(start, last), hidden)
        else:
            fixed = "starts from a state that is as wide as a number in the code"
            reason = fixed if call.is_weight(state) else "starts from a state that is given to it"
            call.labels.lock(hidden, call.why(reason))


def _note_uses(call: Call, step: _Step, kind: str, source: Value) -> None:
    """Multiply-accumulates of one use of a layer's weights; several uses of one weight add up."""
    uses = Fraction(math.prod(source.shape[:-1]), call.samples)
    for name in (call.tensor_name(node) for node in (step.reads, step.turns)):
        if name is None:
            continue
        batched = len(call.shape) > 1
        site = Contraction(
            layer=name,
            tensor=name,
            kind=kind,
            macs_per_weight=uses,
            output_shape=call.shape[1:] if batched else call.shape,
            output_dim=max(len(call.shape) - 2, 0),
            channel_dim=len(call.shape) - 1,
        )
        _add_uses(call.walk.contractions, site)


def _add_uses(sites: list[Contraction], site: Contraction) -> None:
    """Note a contraction, or its uses with those of the same weight."""
    place = next((i for i, known in enumerate(sites) if known.tensor == site.tensor), None)
    if place is None:
        sites.append(site)
    else:
        sites[place] = replace(sites[place], macs_per_weight=sites[place].macs_per_weight + site.macs_per_weight)
