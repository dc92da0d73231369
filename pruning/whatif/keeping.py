"""Which values to keep, so that a change of any one group finds the network computed up to where it matters."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from torch.fx import Node

from pruning.calls.program import Program

MOST = 40
"""Changes that the choice looks at, spread over the network: the time it takes grows with their square."""


def choose(program: Program, targets: Iterable[str], bytes_of_number: int, budget: int) -> frozenset[Node]:
    """Calls whose values fit into `budget` bytes and together save most MACs, for a change of any one of `targets`
    (groups, or parameters), each as likely.

    `bytes_of_number`: what one number of the value for one image takes, over all images. Greedy: always the value
    that saves most for its bytes beside those chosen before. What one saves only falls as others are chosen, so an
    old figure is a bound, and most need not be worked out again (Minoux 1978, "Accelerated greedy algorithms").
    """
    changes = list(targets)
    changes = changes[:: -(-len(changes) // MOST)]
    kept: set[Node] = set()
    costs = _costs(program, changes, kept)
    size = {node: program.by_node[node].numbers * bytes_of_number
            for target in changes for node in frontier(program, target)}  # fmt: skip
    offers = [(-float("inf"), number, node, -1) for number, node in enumerate(size) if size[node] > 0]
    used = 0
    while offers:
        _, number, node, seen = heapq.heappop(offers)
        if used + size[node] > budget:
            continue
        if seen != len(kept):
            saved = costs - _costs(program, changes, kept | {node})
            if saved > 0:
                heapq.heappush(offers, (-saved / size[node], number, node, len(kept)))
            continue
        kept.add(node)
        used += size[node]
        costs = _costs(program, changes, kept)
    return frozenset(kept)


def frontier(program: Program, target: str) -> set[Node]:
    """The values that a change of `target` leaves as they are, and that are read by calls which it does not."""
    found: set[Node] = set()
    for step in program.steps:
        if target in step.computed_anew:
            for source in step.sources:
                if source in program.by_node and target not in program.by_node[source].computed_anew:
                    found |= _made(program, source)
    return found


def _made(program: Program, node: Node) -> set[Node]:
    """The value, or what it is cheaply made from."""
    step = program.by_node[node]
    if not step.op.cheap:
        return {node}
    return {made for source in step.sources if source in program.by_node for made in _made(program, source)}


def _costs(program: Program, targets: Sequence[str], kept: set[Node]) -> int:
    """MACs of all single changes together, when these values are kept."""
    total = 0
    for target in targets:
        holds = {node for node in kept if target not in program.by_node[node].computed_anew}
        total += sum(step.macs for step in program.needed([program.output], holds.__contains__))
    return total
