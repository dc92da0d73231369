"""Metrics of two networks' outputs for the same images: whether they answer alike, and how far they are apart.

`answers` are what the unpruned network puts out (N × classes): no labels are needed.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor
from torch.nn import functional as F

from pruning.data.info import DataInfo
from pruning.tasks.means import mean_difference, mean_interval
from pruning.tasks.metric import Metric
from pruning.tasks.ranks import ACCURACY

WORST = 100.0
"""Nats: what counts for an output that is NaN, where a divergence would be infinite."""


def agrees(outputs: Tensor, answers: Tensor) -> Tensor:
    """bool (images): whether both (N × classes) are largest at the same class; one that is NaN agrees with nothing."""
    return (outputs.argmax(1) == answers.argmax(1)) & ~outputs.isnan().any(1) & ~answers.isnan().any(1)


def divergence(outputs: Tensor, answers: Tensor) -> Tensor:
    """float32 (images): Kullback-Leibler divergence of the softmax of outputs from that of answers, in nats."""
    said, meant = F.log_softmax(outputs.float(), 1), F.log_softmax(answers.float(), 1)
    each = F.kl_div(said, meant, reduction="none", log_target=True).sum(1)
    return each.nan_to_num(WORST, posinf=WORST).clamp(0.0, WORST)


def bounded_interval(scores: Tensor) -> tuple[float, float]:
    """95 % interval of the mean divergence, which is never below 0; of one image anything is possible."""
    if len(scores) < 2:
        return 0.0, WORST
    low, high = mean_interval(scores)
    return max(0.0, low), min(WORST, high)


def the_worst(info: DataInfo) -> float:
    """Without looking, a divergence may be as large as there is."""
    return WORST


AGREEMENT = replace(
    ACCURACY,
    name="agreement",
    title="agreement with the unpruned network",
    score=agrees,
    lost="answered otherwise",
    won="answered alike again",
    kept="answered as before",
    otherwise="answered in yet another way",
    judges=False,
)
DIVERGENCE = Metric(
    name="kl_divergence",
    title="divergence from the unpruned network",
    unit="nats",
    unit_of_change="nats",
    higher_is_better=False,
    bounds=(0.0, WORST),
    score=divergence,
    interval=bounded_interval,
    difference=mean_difference,
    guess=the_worst,
)
