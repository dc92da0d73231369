"""What a data set is, known without loading it: its roles, classes, and the images a network gets to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from pruning.data.preprocess import Preprocess

Role = Literal["train", "select", "test"]
ROLES: tuple[Role, ...] = get_args(Role)
"""`train` to learn, `select` to choose, `test` for one look at the end: disjoint images."""
Progress = Callable[[str, float], None]
"""Gets a text and a fraction."""


@dataclass(frozen=True, kw_only=True)
class DataInfo:
    """A data set before any image of it is read."""

    name: str
    """The reference that opens it."""
    title: str
    classes: tuple[str, ...]
    """Names of the classes, by label; empty where images have no labels."""
    shape: tuple[int, int, int]
    """Channels, height, width of one image."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    """Per channel, of pixels scaled to 0–1; a network takes (pixel − mean) / std."""
    sizes: dict[Role, int]
    """Images of each role."""
    shift: int
    """Pixels that a training image may be moved by and still be a fair one: 4 for photographs (He 2015, arXiv
    1512.03385), 1 for digits."""
    flips: bool
    """Whether a mirrored image is still a fair training image (not so for digits)."""
    embedded: bool
    """Whether the images come with the installation."""
    labelled: bool = True
    """Whether it is known of every image what is right."""
    task: str = "classification"
    """What its images are to be answered with: the name of a task (`pruning.tasks`)."""
    things: str = "images"
    """What the images show, in the plural: digits, photos."""

    preprocess: Preprocess | None = None
    """What was done to the images of one's own; None for a published data set, whose images are as they are."""
    remarks: tuple[str, ...] = ()
    """What was guessed, left out or noticed when they were read, each a whole sentence."""
    split: tuple[int, int, int] | None = None
    """Per cent of train, select and test by which roles were drawn by lot, where nothing says which image is for what;
    None elsewhere."""
    content: str = ""
    """SHA-256 over names, contents and labels of one's own images as they lie on disk, whatever is made of them; ''
    for published ones."""

    def answer(self, label: int) -> str:
        """A class that was answered, by its name; 'no answer' for −1, and for what is no class."""
        return self.classes[label] if 0 <= label < len(self.classes) else "no answer"

    def steps_per_epoch(self, batch_size: int) -> int:
        """Full batches in one pass over the train images, at least one; a last, smaller batch is left out."""
        return max(1, self.sizes["train"] // batch_size)

    def steps_of(self, epochs: float, batch_size: int) -> int:
        """Optimiser steps nearest to so many passes over the train images."""
        return round(epochs * self.steps_per_epoch(batch_size))
