"""How far to prune when a loss of so many points is accepted: judged by the whole interval of the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pruning.tasks.metric import Difference

Standing = Literal["within", "beyond", "open"]


def standing_of(change: Difference, accept: float) -> Standing:
    """Whether a loss is within what is accepted (in points): 'open' where the interval holds the limit."""
    low, high = change.interval
    if 100 * low >= -accept:
        return "within"
    return "beyond" if 100 * high < -accept else "open"


def furthest_within(changes: Mapping[int, Difference], accept: float) -> int | None:
    """The hardest cut (per cent → change) whose loss is surely within what is accepted; None where none is."""
    return max(
        (percent for percent, change in changes.items() if percent and standing_of(change, accept) == "within"),
        default=None,
    )


def loss_words(change: Difference) -> dict[str, str]:
    """The loss in points, and its interval from the smaller to the larger: {'loss': '0.4', 'span': '−0.2 to 1.0'}."""
    low, high = change.interval
    loss, near, far = (_points_lost(value) for value in (change.value, high, low))
    return {"loss": loss, "span": f"{near} to {far}"}


def _points_lost(change: float) -> str:
    return f"{-100 * change + 0.0:.1f}".replace("-0.0", "0.0").replace("-", "−")
