"""The energy of one answer, estimated from published figures for single operations."""

from __future__ import annotations

MULTIPLY = 3.7e-12
"""Joules of one 32-bit floating-point multiplication in 45 nm (Horowitz, ISSCC 2014)."""
ADD = 0.9e-12
"""Joules of one 32-bit floating-point addition (the same)."""
FETCH = 640e-12
"""Joules of reading 32 bits from memory outside the chip (the same, as tabled by Han 2015, arXiv 1506.02626)."""


def arithmetic_energy(macs: int) -> float:
    """Joules of so many multiply-accumulates.

    >>> f"{arithmetic_energy(1_000_000):.1e}"
    '4.6e-06'
    """
    return macs * (MULTIPLY + ADD)


def fetching_energy(params: int) -> float:
    """Joules of reading so many 32-bit weights once.

    >>> f"{fetching_energy(1_000):.1e}"
    '6.4e-07'
    """
    return params * FETCH


def answer_energy(macs: int, params: int) -> float:
    """Joules for one image, an estimate: the arithmetic, and each weight read once; nothing else is counted."""
    return arithmetic_energy(macs) + fetching_energy(params)
