"""A network that was opened by reference, and what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import nn

from pruning.base.digests import weights_digest
from pruning.catalog.shrinkage import Shrinkage
from pruning.data.preprocess import Preprocess

SEED = 0
RANDOM = f"random, seed {SEED}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A network with everything that its opener knows. `model` is shared: copy it before changing anything."""

    ref: str
    """What opens it again; '' for a module that lives in this process alone."""
    title: str
    model: nn.Module
    """In eval mode."""
    example_inputs: Any
    """A tensor, a tuple of arguments or a dict of keyword arguments."""
    weights: str
    """Where they come from, such as 'trained on mnist' or 'random, seed 0'."""
    untrained: bool = False
    """Whether its weights are known to be random, so that nothing it answers means anything."""
    data: tuple[str, ...] = ()
    """References of the data sets that it is known to answer to, the one to begin with first; empty where that is not
    known."""
    preprocess: Preprocess | None = None
    """What its library or weights say of how images are to be prepared for it; None where nobody says."""
    classes: tuple[tuple[str, ...], ...] = ()
    """Of each output the names that its class goes by, such as ('n01440764', 'tench'); empty where nobody says."""
    stated: float | None = None
    """Top-1 accuracy that its library states for these weights, as a fraction; None where nobody does."""
    any_size: bool = False
    """Whether the size of its example inputs was only guessed, so that it is opened for images of another."""
    remarks: tuple[str, ...] = ()
    """What was guessed, left out or noticed when it was opened, each a whole sentence."""
    root: str = ""
    """Reference of the network that it was pruned from; '' for one that was not."""
    structure: Shrinkage = field(default_factory=Shrinkage)
    """How it is smaller than its root."""
    held_zero: tuple[str, ...] = ()
    """Weights whose zeros were pruned and stay zero when it is trained on."""
    story: str = ""
    """One sentence: what it is good for; '' where nobody says."""
    provenance: Mapping[str, Any] | None = None
    """How its weights came about, where that was written down."""

    @property
    def origin(self) -> str:
        """Reference of the dense network that it goes back to: its root, or itself."""
        return self.root or self.ref

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all weights."""
        return weights_digest(self.model)
