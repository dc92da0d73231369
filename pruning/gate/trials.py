"""Where the first look is suspicious: what the usual other ways to prepare images, and documented orders of classes,
would give on the same images. Nothing is chosen here: each is reported with its difference, for a person to decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, PruningError
from pruning.data.orders import other_orders
from pruning.data.preprocess import IMAGENET, Colour, Preprocess
from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.fitting import names_of
from pruning.gate.look import Look
from pruning.subject import Subject
from pruning.tasks.metric import Difference

IMAGES = 200
"""Of those of the first look: enough to tell a wrong way from the right one."""
LUCK = 0.1
"""Of the way from guessing to perfect: what the best of many tries may reach without meaning anything."""
NORMALISATIONS: dict[str, tuple[float, float]] = {
    "mean and deviation 0.5": (0.5, 0.5),
    "pixels from 0 to 1": (0.0, 1.0),
    "pixels from 0 to 255": (0.0, 1 / 255),
}
"""In words → mean and deviation, the same for all channels; ImageNet's are tried as well."""
CROPS: dict[str, float | None] = {"both sides brought to the size": None, "crop 0.875": 0.875, "crop 0.95": 0.95}
"""In words → share of the shorter side that is kept; None for no crop."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Another way to prepare the images or to order the classes, tried on the images of the first look."""

    words: str
    """What is other: 'BGR, pixels from 0 to 255'."""
    value: float
    """The metric."""
    difference: Difference
    """Against the first look, paired, on the same images."""
    images: int
    preprocess: Preprocess | None = None
    """What would have to be asked for; None where it is the order of the classes."""
    order: str | None = None
    """Name of the order of classes (`pruning.data.orders`); None where it is the preparation."""

    @property
    def better(self) -> bool:
        """Whether it is surely better."""
        return self.difference.interval[0] > 0


def explaining(trials: Sequence[Trial], guess: float = 0.0) -> list[Trial]:
    """Those that are surely better than the first look and reach more than luck (`guess` without looking) may."""
    by_luck = guess + LUCK * (1 - guess)
    return [trial for trial in trials if trial.better and trial.value > by_luck]


def try_others(subject: Subject, first: Look, *, cancel: Cancel | None = None) -> tuple[Trial, ...]:
    """What else the images could be, the best first. Empty where nothing can be tried, as for images as they are.

    Raises:
        Cancelled: `cancel()` became true.
    """
    own, choices = first.preprocess, first.answers.choices
    if own is None or choices is None or choices.labels is None or subject.images is None:
        return ()
    some = torch.linspace(0, len(first.index) - 1, min(IMAGES, len(first.index))).round().long().unique()
    index, labels, base = first.index[some], choices.labels[some], first.answers.scores[some]
    metric, data = first.answers.metric, subject.data

    def trial(words: str, predicted: Tensor, truth: Tensor, **what: Preprocess | str) -> Trial:
        scores = predicted == truth
        return Trial(
            words=words,
            value=metric.mean(scores),
            difference=metric.difference(base, scores),
            images=len(scores),
            **what,  # type: ignore[arg-type]
        )

    found = [
        trial(f"classes in {order.words}", choices.predicted[some], torch.tensor(table)[labels], order=order.name)
        for order, table in (other_orders(subject.info.classes) if not names_of(subject.network) else ())
    ]
    shown = partial(_predicted, subject.model, cancel=cancel)
    pixels = _Pixels(data, index)
    for words, way in _normalised(own):
        found.append(trial(words, shown(pixels.seen(way, own)), labels, preprocess=way))
    best = max((one for one in found if one.preprocess is not None), key=lambda one: one.value, default=None)
    before = best.value if best is not None and best.better else metric.mean(base)
    start = best.preprocess if best is not None and best.better and best.preprocess is not None else own
    for words, way in _cropped(start, own):
        try:
            cropped = _Pixels(open_data(subject.data_name, subject.data_dir, preprocess=way), index)
        except PruningError:
            continue  # such a crop is not possible for these images
        also = f", {best.words}" if start is not own and best is not None else ""
        one = trial(words + also, shown(cropped.seen(way, way)), labels, preprocess=way)
        if one.value > before:
            found.append(one)  # a crop alone that changes nothing explains nothing
    return tuple(sorted(found, key=lambda one: -one.value))


class _Pixels:
    """Images of a data set that is open, seen with other numbers than its own."""

    def __init__(self, data: Data, index: Tensor) -> None:
        self._data, self._index = data, index

    def seen(self, way: Preprocess, own: Preprocess) -> Callable[[], Iterator[Tensor]]:
        """Gives the batches as a network sees them that are prepared in another `way`, of the size of `own`."""

        def batches() -> Iterator[Tensor]:
            mean, std = (torch.tensor(numbers).view(1, -1, 1, 1) * 255 for numbers in (way.mean, way.std))
            for some in self._index.split(self._data.at_once()):
                pixels = self._data.images("select", some).float()
                turned = {way.colour, own.colour} == {"rgb", "bgr"}
                yield ((pixels.flip(1) if turned else pixels) - mean) / std

        return batches


def _predicted(model: nn.Module, batches: Callable[[], Iterator[Tensor]], *, cancel: Cancel | None) -> Tensor:
    """int64 (images): the class answered; -1 where an output is NaN."""
    found = []
    for images in batches():
        if cancel is not None and cancel():
            raise Cancelled("Cancelled while trying other ways to prepare the images.")
        with torch.no_grad():
            outputs = model(images.contiguous(memory_format=torch.channels_last))
        found.append(torch.where(outputs.isnan().any(1), -1, outputs.argmax(1)))
    return torch.cat(found)


def _normalised(own: Preprocess) -> Iterator[tuple[str, Preprocess]]:
    """Other normalisations and channel orders than its own, and both together."""
    colours: Sequence[Colour] = ("rgb", "bgr") if own.colour != "grey" and own.channels == 3 else (own.colour,)
    ways: dict[Preprocess, str] = {}
    for colour in colours:
        order = f"{colour.upper()}, " if len(colours) > 1 else ""
        for words, (mean, std) in _numbers(own.channels).items():
            ways.setdefault(own.replace(colour=colour, mean=mean, std=std), order + words)
        ways.setdefault(own.replace(colour=colour), f"{order}mean and deviation as they are")
    ways.pop(own)
    for way, words in ways.items():
        yield words, way


def _numbers(channels: int) -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """The usual means and deviations, in words."""
    mean: tuple[float, ...] = IMAGENET["mean"]
    std: tuple[float, ...] = IMAGENET["std"]
    if channels == 1:
        mean, std = (sum(mean) / 3,), (sum(std) / 3,)
    alike = {words: tuple((number,) * channels for number in pair) for words, pair in NORMALISATIONS.items()}
    return {
        "ImageNet's mean and deviation": (mean, std),
        **{words: (pair[0], pair[1]) for words, pair in alike.items()},
    }


def _cropped(start: Preprocess, own: Preprocess) -> Iterator[tuple[str, Preprocess]]:
    """Other crops than its own."""
    for words, share in CROPS.items():
        resize = None if share is None else int(max(own.size) / share)
        if resize != own.resize:
            yield words, start.replace(resize=resize)
