"""Tiny networks with one awkward construct each."""

from tests.graph.constructs import attention, blocks, encoders, maps, moves, norms, parts, recurrent, sizes, weights
from tests.graph.constructs.registry import CONSTRUCTS, Construct

__all__ = [
    "CONSTRUCTS",
    "Construct",
    "attention",
    "blocks",
    "encoders",
    "maps",
    "moves",
    "norms",
    "parts",
    "recurrent",
    "sizes",
    "weights",
]
