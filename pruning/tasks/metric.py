"""What a metric is: a score an image, their mean with its interval, and how two networks differ on the same images."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.data.info import DataInfo


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A metric of two networks on the same images: the second minus the first."""

    value: float
    interval: tuple[float, float]
    """95 %, paired: what both have alike carries no information."""
    newly_wrong: int | None = None
    newly_right: int | None = None
    """Images that only the first, and only the second, has right; None for a metric that counts none."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A metric of all images that were looked at."""

    value: float
    interval: tuple[float, float]
    """95 %."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One row of what can be measured. Pages, commands and reports speak of it by these words.

    Its functions stand in modules by name, so that whatever holds a metric can be pickled.
    """

    name: str
    """Its key in JSON: lower-case letters, digits and underscores."""
    title: str
    """In a sentence: 'accuracy', 'mean error'."""
    unit: str
    """Behind a value, such as '%'; '' for a bare number."""
    unit_of_change: str
    """Behind a difference of two values, such as 'points'."""
    scale: float = 1.0
    """What a value is multiplied by where it is shown: 100 for a fraction in per cent."""
    digits: int = 3
    """Decimals where it is shown."""
    higher_is_better: bool = True
    counts: bool = False
    """Whether each image is simply right or wrong, so that images can be counted; scores are bool then."""
    bounds: tuple[float, float] = (float("-inf"), float("inf"))
    """The least and the most that it can be."""
    score: Callable[[Tensor, Tensor], Tensor]
    """Outputs and targets of a batch → one score an image (bool where it `counts`, else float). An output that is NaN
    gets the worst score there is."""
    interval: Callable[[Tensor], tuple[float, float]]
    """95 % interval of the mean of scores, were other images of the same kind looked at."""
    difference: Callable[[Tensor, Tensor], Difference]
    """Scores of two networks on the same images → mean of the second minus that of the first."""
    guess: Callable[[DataInfo], float]
    """What somebody gets who answers without looking."""
    lost: str = "newly wrong"
    won: str = "newly right"
    """What images are called that only the first, and only the second, of two networks has right."""
    kept: str = "right or wrong as before"
    """And those that both have right, or neither."""
    otherwise: str = "wrong in another way"
    """And those that neither has right, though they answer differently."""
    judges: bool = True
    """Whether an image that counts was answered rightly, and not just as another network answers it."""
    of_all: Callable[[Tensor, Tensor], Summary] | None = None
    """Scores and targets of all images → the metric, where it is no plain mean of the scores."""

    @property
    def counts_right(self) -> bool:
        """Whether it is a share of right answers, so that pages may say 'right' and 'wrong'."""
        return self.counts and self.judges

    def mean(self, scores: Tensor) -> float:
        """The metric of so many scores."""
        return int(scores.sum()) / len(scores) if self.counts else float(scores.double().mean())

    def summary(self, scores: Tensor, targets: Tensor) -> Summary:
        """The metric with its interval, of all images: their scores and what is right for them."""
        if self.of_all is not None:
            return self.of_all(scores, targets)
        return Summary(value=self.mean(scores), interval=self.interval(scores))

    def gain(self, change: float) -> float:
        """A change as an improvement: positive where the second network is better."""
        return change if self.higher_is_better else -change

    def words(self, value: float) -> str:
        """A value as it is shown: '98.7 %'."""
        return f"{self.scale * value:.{self.digits}f} {self.unit}".rstrip()

    def span(self, ends: tuple[float, float]) -> str:
        """An interval of values as it is shown: '98.1–99.2 %'."""
        return f"{self.bare_span(ends)} {self.unit}".rstrip()

    def bare_span(self, ends: tuple[float, float]) -> str:
        """The same without the unit: '98.1–99.2'."""
        return "–".join(f"{self.scale * end:.{self.digits}f}" for end in ends)

    def signed(self, change: float) -> str:
        """A change with its sign and without its unit: '+0.3', '−0.6', '0.0'."""
        text = f"{abs(self.scale * change):.{self.digits}f}"
        return text if float(text) == 0 else ("+" if change > 0 else "−") + text

    def asked(self, change: float) -> str:
        """A change as somebody asks for it, with its unit: '1 point', '2.5 points'."""
        number = f"{self.scale * change:g}"
        unit = self.unit_of_change.removesuffix("s") if number == "1" else self.unit_of_change
        return f"{number} {unit}".rstrip()

    def signed_span(self, ends: tuple[float, float]) -> str:
        """The interval of a change: '−0.6 to +0.9'."""
        return " to ".join(map(self.signed, ends))

    def size(self, change: float) -> str:
        """How large a change is, whichever way: '0.6'."""
        return f"{abs(self.scale * change):.{self.digits}f}"

    def gains(self, ends: tuple[float, float]) -> tuple[float, float]:
        """The interval of a change as improvements, the worse end first."""
        low, high = sorted(self.gain(end) for end in ends)
        return low, high

    @property
    def axis(self) -> str:
        """Title of an axis: 'accuracy, %'."""
        return f"{self.title}, {self.unit}".rstrip(", ")

    def of_images(self, images: str) -> str:
        """Title of an axis: 'accuracy on select images, %'."""
        return f"{self.title} on {images} images, {self.unit}".rstrip(", ")

    @property
    def scaled_bounds(self) -> tuple[float, float] | None:
        """The ends of an axis that holds every value there can be; None where there is no least or most."""
        low, high = (self.scale * bound for bound in self.bounds)
        return (low, high) if math.isfinite(low) and math.isfinite(high) else None
