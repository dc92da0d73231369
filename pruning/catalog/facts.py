"""What is known of a network before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a network without its weights."""

    parameters: int
    macs: int | None
    """Multiply-accumulates of one sample, in convolutions, linear layers and products; None where they cannot be
    counted without running it."""
    input_shape: tuple[int, ...]
    """Of one sample: channels, height, width."""
    classes: int | None
    """Numbers in its answer to one sample; None where the answer is none of a classifier."""
