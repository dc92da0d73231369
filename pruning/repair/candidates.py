"""Ways to win accuracy back without training or labels, of which the best for a network is handed out.

Which is best differs: on residual networks of plain convolutions the refit alone is, on depthwise ones with ReLU6 the
refit with statistics measured anew behind it, and with few photos the statistics alone. So several are tried, and the
one whose answers are most often those of the dense network, on images that none of them was fitted to, is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.base.clone import clone
from pruning.calls.parts import Parts
from pruning.calls.passes import Images
from pruning.planning.plan import Plan
from pruning.removal.apply import named_tensors
from pruning.repair.kinds import CANDIDATES, Candidate
from pruning.repair.recalibrate import BATCH, has_batch_norm, recalibrate_on
from pruning.repair.reference import make_reference
from pruning.repair.refit import HELD_BACK, LayerFit, Refit, refit
from pruning.repair.unlabelled import Unlabelled

JUDGED_BY = 0.2
"""Share of the images on which candidates are judged; the others are what they are fitted to."""
FEW = 200
"""Images below which a network with batch normalisation is offered bias correction as well."""
REFITS: frozenset[Candidate] = frozenset({"refitted", "refitted_recalibrated"})
BATCH_BYTES = 2**27
"""That the largest value of a batch takes, at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Repaired:
    """A network that was repaired, and what was tried."""

    model: nn.Module
    chosen: Candidate
    agreement: Mapping[Candidate, float]
    """Share of the judged images on which each gives the dense network's answer."""
    layers: tuple[LayerFit, ...]
    """What the refit did with each layer, whether it was chosen or not; empty where it was not tried."""
    made: Mapping[Candidate, nn.Module]
    """All that were tried."""
    fitted_images: int
    judged_images: int
    without: str | None = None
    """Why nothing was fitted, where the network cannot be run call by call."""


def fitting(norms: bool, walkable: bool, images: int) -> tuple[Candidate, ...]:
    """What is tried of a network with or without batch normalisation, whose calls can or cannot be carried out one by
    one, with so many images."""
    found: list[Candidate] = ["as_cut"]
    if norms:
        found.append("recalibrated")
    if walkable:
        found += ["bias", "refitted"] if not norms or images < FEW else ["refitted"]
        if norms:
            found.append("refitted_recalibrated")
    return tuple(found)


def repaired(
    dense: nn.Module,
    small: nn.Module,
    parts: Parts | None,
    plan: Plan,
    images: Unlabelled,
    same_answer: Callable[[Tensor, Tensor], Tensor],
    *,
    offered: Collection[Candidate] | None = None,
    held: Mapping[str, Tensor] | None = None,
    recalibrated: nn.Module | None = None,
    seed: int = 0,
    go_on: Callable[[], None] = lambda: None,
) -> Repaired:
    """The best of the candidates for a network that a plan left, `small`, which is not changed. `dense`: in eval mode.

    `same_answer`: tells of two batches of outputs, for each image, whether they say the same, as that of a task does.
    `parts`: the dense network call by call; None where it cannot be run so, and there is no refit. `offered`: those to
    choose from, in place of the `fitting` ones. `held`: see `pruning.repair.refit.refit`. `recalibrated`: `small` with
    statistics of the images that are fitted to, where somebody has measured them. `seed`: draws what the refit looks
    at. Of those that chance may have put behind the best, whose outputs are closest to the dense network's is taken.
    """
    small = clone(small).eval()
    fitted, judged = images.apart(JUDGED_BY)
    norms = has_batch_norm(small)
    nothing: tuple[Candidate, ...] = ("as_cut",)
    names = nothing if plan.removes_nothing else offered or fitting(norms, parts is not None, fitted.count)
    made: dict[Candidate, nn.Module] = {"as_cut": small}
    layers: tuple[LayerFit, ...] = ()
    if "recalibrated" in names:
        made["recalibrated"] = _recalibrated(small, fitted, go_on) if recalibrated is None else recalibrated
    if parts is not None and not {"bias", *REFITS}.isdisjoint(names):
        reference = make_reference(parts, batches_for(parts, fitted), plan, seed=seed, go_on=go_on)
    if parts is not None and "bias" in names:
        made["bias"] = put(small, refit(reference, plan, held=held, bias_alone=True, go_on=go_on))
    if parts is not None and not REFITS.isdisjoint(names):
        found = refit(reference, plan, held=held, go_on=go_on)
        layers = found.layers
        made["refitted"] = put(small, found)
        if "refitted_recalibrated" in names:
            made["refitted_recalibrated"] = _recalibrated(made["refitted"], fitted, go_on)
    verdicts: dict[Candidate, Verdict] = {"as_cut": Verdict(same=torch.ones(1, dtype=torch.bool), distance=0.0)}
    if len(made) > 1:
        verdicts = _judged(dense, made, judged, same_answer, go_on)
    chosen = best(verdicts)
    return Repaired(
        model=made[chosen],
        chosen=chosen,
        agreement={name: verdict.agreement for name, verdict in verdicts.items()},
        layers=layers,
        made=made,
        fitted_images=fitted.count,
        judged_images=judged.count,
    )


@torch.no_grad()
def put(small: nn.Module, found: Refit) -> nn.Module:
    """A copy of a network, in eval mode, with what a refit found."""
    model = clone(small)
    tensors = named_tensors(model)
    for name, value in found.tensors.items():
        tensors[name].copy_(value)
    return model.eval()


def batches_for(parts: Parts, images: Unlabelled) -> tuple[Images, ...]:
    """As large as memory allows, and so many that some can be held back."""
    size = min(BATCH, BATCH_BYTES // (4 * parts.program.largest), images.count // HELD_BACK)
    return images.batches(max(1, size))


def _recalibrated(small: nn.Module, images: Unlabelled, go_on: Callable[[], None]) -> nn.Module:
    def batches() -> Iterator[Tensor]:
        for batch in images.batches(BATCH):
            go_on()
            if batch.count > 1:
                yield batch.normalised()

    model = clone(small)
    recalibrate_on(model, batches())
    return model


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
    """How a candidate answers to the images held back."""

    same: Tensor
    """bool, one an image: whether it gives the dense network's answer."""
    distance: float
    """Mean square of what its outputs are off those of the dense network."""

    @property
    def agreement(self) -> float:
        return float(self.same.double().mean())


def best(verdicts: Mapping[Candidate, Verdict]) -> Candidate:
    """The candidate to hand out: answers are what matters, but of 250 images a few more or less mean nothing. So of
    those that are behind the best in answers by no more than one standard error of the difference, paired image by
    image, the one with the closest outputs; of equals, the simplest."""
    names = sorted(verdicts, key=CANDIDATES.index)
    first = verdicts[max(names, key=lambda name: verdicts[name].agreement)].same

    def near(same: Tensor) -> bool:
        return int(first.sum() - same.sum()) ** 2 <= int((first != same).sum())

    return min((name for name in names if near(verdicts[name].same)), key=lambda name: verdicts[name].distance)


@torch.inference_mode()
def _judged(
    dense: nn.Module,
    made: Mapping[Candidate, nn.Module],
    images: Unlabelled,
    same_answer: Callable[[Tensor, Tensor], Tensor],
    go_on: Callable[[], None],
) -> dict[Candidate, Verdict]:
    """Each candidate beside the dense network."""
    same: dict[Candidate, list[Tensor]] = {name: [] for name in made}
    square = dict.fromkeys(made, 0.0)
    for batch in images.batches(BATCH):
        pictures = batch.normalised()
        wanted = dense(pictures)
        for name, model in made.items():
            go_on()
            given = model(pictures)
            same[name].append(same_answer(wanted, given))
            square[name] += float((given - wanted).double().square().mean(0).sum()) * batch.count
    return {
        name: Verdict(same=torch.cat(same[name]), distance=math.inf if math.isnan(off) else off / images.count)
        for name, off in square.items()
    }
