"""`verify`: remove channels and prove the smaller model equal to the masked one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import nn

import pruning.runs  # noqa: F401 - adds run: to what open_network opens
from pruning.catalog.openers import open_network
from pruning.cli.describe import describe_groups, locked_lines, weights_lines
from pruning.cli.gate import say_changes
from pruning.cli.output import change, field, listed, only_ours
from pruning.cost.counts import count_macs, shapes_after
from pruning.removal.remove import remove
from pruning.removal.unreached import unreached
from pruning.spec import PruneSpec


def verify(ref: str, spec: PruneSpec) -> tuple[dict[str, Any], list[str]]:
    """Remove channels of the model that a reference names: the result as JSON, and as lines.

    Raises:
        PruningError: no such model, it cannot be traced, an option is not allowed, or the proof failed.
    """
    clock: dict[str, float] = {}
    with only_ours():
        network = open_network(ref)
        say_changes(network)
        done = remove(network.model, network.example_inputs, spec, clock=clock)
    round_to = spec.round_to if spec.round_to > 1 else None
    check = done.check
    assert check is not None
    params = {"before": _parameters(network.model), "after": _parameters(done.model)}
    macs = {
        "before": count_macs(done.graph, done.graph.shapes),
        "after": count_macs(done.graph, shapes_after(done.graph, done.plan)),
    }
    apart = unreached(network.model, done.graph, done.what)
    result = {
        "schema_version": 1,
        "model": ref,
        "weights": network.weights,
        "sparsity": spec.sparsity,
        "round_to": round_to,
        "head_rounding": spec.head_rounding,
        "criterion": spec.criterion,
        "seed": spec.seed,
        "check": asdict(check),
        "params": params,
        "macs": macs,
        "layers": [asdict(layer) for layer in done.plan.layers],
        "kept": {name: {str(dim): index for dim, index in dims.items()} for name, dims in done.what.kept.items()},
        **describe_groups(done.graph),
        "unreached": list(apart),
        "seconds": {name: round(seconds, 4) for name, seconds in clock.items()},
    }
    idle = done.graph.groups and not done.what.kept
    rounded = f", once rounded up to a multiple of {round_to}" if round_to else ""
    lines = [
        f"{network.title} at sparsity {spec.sparsity:g}: {check.status}"
        + (f", largest relative difference {check.max_error:.1e}" if check.max_error is not None else ""),
        *weights_lines(network),
        *field("compared", f"with {check.reference}" if check.max_error is not None else check.reference),
        *(field("because", check.reason) if check.reason else []),
        *(field("note", f"no group loses a channel at this sparsity{rounded}") if idle else []),
        *field("parameters", change(**params)),
        *field("MACs", f"{change(**macs)} a sample"),
        *field("seconds", ", ".join(f"{name} {seconds:.2f}" for name, seconds in clock.items())),
        *locked_lines(done.graph),
        *(field("unreached", f"{listed(apart)}: not used with these inputs, and as wide as before") if apart else []),
    ]
    return result, lines


def _parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
