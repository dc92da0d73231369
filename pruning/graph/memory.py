"""How much memory the work on a network takes, and whether there is that much."""

from __future__ import annotations

import math
from pathlib import Path

from torch import Tensor
from torch.fx import Node

from pruning.base.errors import InputError
from pruning.graph.ops import of
from pruning.graph.trace import Trace

WIDE = 8
"""Bytes of a label, and of a number in float64."""
CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Limit and use of a container."""


def check_memory(needed: int, purpose: str) -> None:
    """Raise InputError where work needs more memory than is free.

    `purpose`: what it is for, as the beginning of a sentence.
    """
    free = free_bytes()
    if free is not None and needed > free:
        raise InputError(
            f"{purpose} needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free: give smaller "
            "example inputs, fewer samples, or a part of the network."
        )


def free_bytes() -> int | None:
    """Memory that this process can still get; None where the system does not say (it is not Linux)."""
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return None
    lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    free = [int(lines["MemAvailable"].split()[0]) * 1024]
    for limit, used in ((Path(limit), Path(used)) for limit, used in CGROUPS):
        if limit.exists() and used.exists() and limit.read_text().strip() != "max":
            free.append(int(limit.read_text()) - int(used.read_text()))
    return min(free)


def label_bytes(trace: Trace) -> int:
    """Memory for labels: a reshape may need one for each number in its result, while it is made."""
    return 3 * WIDE * max((_count(node) for node in trace.nodes if of(node).widens_labels), default=0)


def proof_bytes(trace: Trace) -> int:
    """Memory to run a traced network and its smaller twin side by side in float64."""
    last_use = {source: node for node in trace.nodes for source in node.all_input_nodes}
    live = most = largest = 0
    for node in trace.nodes:
        size = 0 if _is_view(node) else _count(node)
        live += size
        most = max(most, live + _columns(node))
        largest = max(largest, size)
        live -= sum(_count(s) for s in node.all_input_nodes if last_use[s] is node and not _is_view(s))
    return WIDE * 2 * (most + largest)


def _count(node: Node) -> int:
    """Numbers in a call's result."""
    value = node.meta.get("val")
    parts = value if isinstance(value, list | tuple) else [value]
    return sum(math.prod(int(size) for size in part.shape) for part in parts if isinstance(part, Tensor))


def _is_view(node: Node) -> bool:
    returns = getattr(getattr(node.target, "_schema", None), "returns", ())
    return of(node).name == "getitem" or any(result.alias_info is not None for result in returns)


def _columns(node: Node) -> int:
    """Numbers in the matrix of patches that a convolution in float64 makes of its input."""
    if of(node).layer in (None, "linear") or len(node.all_input_nodes) < 2:
        return 0
    weight = node.all_input_nodes[1].meta.get("val")
    result = node.meta.get("val")
    if not isinstance(weight, Tensor) or not isinstance(result, Tensor) or math.prod(weight.shape[2:]) == 1:
        return 0
    return math.prod(weight.shape[1:]) * result.shape[0] * math.prod(result.shape[2:])
