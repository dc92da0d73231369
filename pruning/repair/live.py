"""The one-line way to get part of the accuracy back: `refit(removal, images)`, after `remove_channels`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from pruning.base.clone import clone
from pruning.base.errors import InputError
from pruning.calls.parts import Parts
from pruning.removal.apply import inflate
from pruning.removal.remove import Removal
from pruning.removal.verify import Check, check_removal
from pruning.repair.candidates import repaired
from pruning.repair.kinds import METHODS, Candidate
from pruning.repair.refit import LayerFit
from pruning.repair.unlabelled import of_tensors

LEAST = 10
"""Images that a refit takes: some fit, some choose the strength, some judge."""
CLOSE = 0.1
"""Two answers of a network with a single output are the same where they are as close, in its standard deviations."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Refitted:
    """A smaller model with other weights, in eval mode, which gives what the dense one gives more often."""

    model: nn.Module
    method: Candidate
    """The candidate that was taken: 'refitted', or what did better."""
    agreement: Mapping[Candidate, float]
    """Candidate → share of the images held back on which it gives the dense model's answer."""
    layers: tuple[LayerFit, ...]
    """What the refit did with each layer whose input changed."""
    check: Check | None
    """That the model still equals the masked one with the same weights; None where `check=False` left it out."""

    def __repr__(self) -> str:
        share = f"{100 * self.agreement['as_cut']:.1f} → {100 * self.agreement[self.method]:.1f} %"
        return f"Refitted({type(self.model).__name__}: {METHODS[self.method]}, the dense model's answer {share})"


def refit(removal: Removal, images: Tensor | Iterable[Tensor], *, seed: int = 0, check: bool = True) -> Refitted:
    """Fit the weights that a removal left to give what the dense model gives, without labels and without training.

    `images`: what the model is called with, batch by batch or in one tensor, batch first, as prepared as in training;
    some 1,000 are enough. A fifth judges which of a few ways is handed out (`pruning.repair.candidates`). `seed`: draws
    which places of images are looked at. `check`: prove the result against the masked model with the same weights.
    Neither the removal nor the dense model is changed; the dense one must still have the weights that it had.

    Raises:
        InputError: there are too few images, or the model cannot be run call by call; says why.
        RemovalError: the result does not equal the masked model.
    """
    given = of_tensors([images] if isinstance(images, Tensor) else images)
    if given.count < LEAST:
        raise InputError(f"A refit takes at least {LEAST} images, better 1,000; there are {given.count}.")
    source, dense = removal.source, clone(removal.dense).eval()
    try:
        parts = Parts(dense, source.graph)
    except LookupError as error:
        raise InputError(f"This model cannot be refitted, since {error}.") from error
    found = repaired(dense, removal.model, parts, source.plan, given, _same_answer, seed=seed)
    proof = None
    if check and not source.plan.removes_nothing:
        large = inflate(dense, found.model, source.what)
        proof = check_removal(large, found.model, source.graph, source.plan)
    return Refitted(model=found.model, method=found.chosen, agreement=found.agreement, layers=found.layers, check=proof)


def _same_answer(wanted: Tensor, given: Tensor) -> Tensor:
    """Whether the class is the same or, of a single number, whether it is close."""
    if wanted.shape[1] > 1:
        return wanted.argmax(1) == given.argmax(1)
    spread = wanted.std() if len(wanted) > 1 else wanted.abs().max()
    return (wanted - given).abs().squeeze(1) <= CLOSE * spread
