"""Names of what repairs without training there are, and of the ways among which one chooses."""

from __future__ import annotations

from typing import Literal, get_args

Repair = Literal["none", "recalibrate", "bias", "refit"]
"""What is asked for after a cut: nothing; statistics of batch normalisation measured anew; or the best of several ways,
with bias correction or a refit among them."""
REPAIRS: tuple[Repair, ...] = get_args(Repair)
Candidate = Literal["as_cut", "recalibrated", "bias", "refitted", "refitted_recalibrated"]
CANDIDATES: tuple[Candidate, ...] = get_args(Candidate)
"""From the simplest on."""
METHODS: dict[Candidate, str] = {
    "as_cut": "nothing helped",
    "recalibrated": "recalibration",
    "bias": "bias correction",
    "refitted": "refit",
    "refitted_recalibrated": "refit and recalibration",
}
"""In a few words."""
CHOOSES: dict[Repair, tuple[Candidate, ...] | None] = {"bias": ("as_cut", "recalibrated", "bias"), "refit": None}
"""Repairs that choose among several ways → which; None: those that suit the network."""
