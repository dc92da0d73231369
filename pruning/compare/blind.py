"""A blind test: the answers of two networks whose names are hidden, and what so many right guesses are worth."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import torch
from torch import Tensor

from pruning.base.errors import InputError
from pruning.training.answers import Answers

PICTURES = 6
MOST_DIFFERENT = 3
"""Of the pictures: where the two answer differently. The rest are drawn from all others."""


@dataclass(frozen=True, kw_only=True)
class Exhibits:
    """Pictures for one round."""

    index: tuple[int, ...]
    """Places in the role's order, shuffled."""
    different: int
    """How many of them were chosen because the answers differ."""
    different_in_all: int
    """Among all images."""
    images: int

    @property
    def words(self) -> str:
        """What was chosen, and that it is no fair sample."""
        total = f"of {self.images:,} select images"
        if not self.different_in_all:
            return f"{len(self.index)} images {total}. The two give the same answer to every one of them."
        return (
            f"{len(self.index)} images {total}. {self.different} of them are here because the answers differ, "
            f"which they do on {self.different_in_all} {total} ●: these few images are no fair sample."
        )


@dataclass
class BlindTest:
    """The rounds that one reader plays with one pair of networks; it changes as they play."""

    rounds: int = 0
    """Guessed."""
    right: int = 0
    seed: int = 0
    """Of the pictures of this round."""
    swapped: bool = False
    """Whether B is the first network."""
    guess: str | None = None
    """'A' or 'B', once guessed in this round."""

    def deal(self) -> None:
        """Begin a round: other pictures, and A and B by lot."""
        self.seed, self.swapped, self.guess = random.randrange(2**31), random.random() < 0.5, None

    @property
    def truth(self) -> str:
        """The letter of the second network."""
        return "A" if self.swapped else "B"

    @property
    def order(self) -> tuple[int, int]:
        """Which of the two networks is A, and which is B."""
        return (1, 0) if self.swapped else (0, 1)

    @property
    def tally(self) -> str:
        """The guesses so far in words."""
        return tally(self.right, self.rounds)

    def take(self, letter: str) -> None:
        """A guess; the first of a round counts."""
        if self.guess is None:
            self.guess = letter
            self.rounds += 1
            self.right += letter == self.truth


def choose_exhibits(first: Answers, second: Answers, seed: int) -> Exhibits:
    """Draw a round's pictures: up to `MOST_DIFFERENT` where the answers differ, the rest where they agree.

    Raises:
        InputError: the answers are to different images, or no class is chosen.
    """
    if first.data_digest != second.data_digest or first.images != second.images:
        raise InputError("Two networks can be guessed at only by their answers to the same images.")
    draw = torch.Generator().manual_seed(seed)
    differ = first.classes.predicted != second.classes.predicted
    odd = _some(differ, MOST_DIFFERENT, draw)
    chosen = torch.cat((odd, _some(~differ, PICTURES - len(odd), draw)))
    shuffled = chosen[torch.randperm(len(chosen), generator=draw)]
    return Exhibits(
        index=tuple(shuffled.tolist()),
        different=len(odd),
        different_in_all=int(differ.sum()),
        images=len(differ),
    )


def by_luck(right: int, rounds: int) -> float:
    """Probability that a coin guesses right so often, or more often.

    >>> by_luck(2, 2), by_luck(0, 3)
    (0.25, 1.0)
    """
    return sum(math.comb(rounds, k) for k in range(right, rounds + 1)) / 2**rounds


def tally(right: int, rounds: int) -> str:
    """The guesses so far in words: better than a coin only where a coin does so well less than once in 20 times.

    >>> tally(3, 5)
    '3 of 5 right: no better than a coin.'
    >>> tally(5, 5)
    '5 of 5 right: better than a coin, which does that 1 time in 32 if the rounds were agreed on beforehand.'
    """
    if not rounds:
        return "No guess yet."
    chance = by_luck(right, rounds)
    if chance >= 0.05:
        few = " Five rounds at least are needed to tell." if rounds < 5 and right == rounds else ""
        return f"{right} of {rounds} right: no better than a coin.{few}"
    rare = f"1 time in {round(1 / chance):,} if the rounds were agreed on beforehand"
    return f"{right} of {rounds} right: better than a coin, which does that {rare}."


def _some(where: Tensor, most: int, draw: torch.Generator) -> Tensor:
    places = where.nonzero().reshape(-1)
    return places[torch.randperm(len(places), generator=draw)[:most]]
