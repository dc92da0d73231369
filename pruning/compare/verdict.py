"""Two networks compared in words, claiming no more than the intervals show. Numbers in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pruning.compare.casualties import Changes, changes, changes_of
from pruning.compare.sides import Pair
from pruning.runs.result import Measurement, Result, Speedup
from pruning.training.answers import Answers
from pruning.training.evaluate import Difference

Tone = Literal["same", "worse", "better", "unknown"]
FRACTIONS = ((1 / 2, "half the size"), (1 / 3, "a third of the size"), (1 / 4, "a quarter of the size"),
             (1 / 5, "a fifth of the size"), (1 / 10, "a tenth of the size"))  # fmt: skip
NEARLY = 0.005
"""Sizes that differ by less than this share are nearly the same."""
NAMED = 0.01
"""A share is called by a fraction's name where it is so near to it."""
THINGS = {"mnist5k": "digits", "mnist": "digits", "cifar10": "photos"}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a verdict is made of; each pair is before and after."""

    params: tuple[int, int]
    nonzero: tuple[int, int]
    speedups: tuple[Speedup, ...]
    """By batch size, the smallest first; empty: not comparable."""
    accuracy: tuple[float, float] | None
    """On test images; None where they were not looked at."""
    changes: Changes | None
    difference: Difference | None
    """None where the answers image by image were not kept."""
    things: str = "images"
    """What the test images show."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """In parts, none of which begins with a capital; '' where nothing is known."""

    size: str
    speed: str
    answers: str
    """What became of the answers, led by the number of images."""
    meaning: str
    """What that shows, and what it does not."""
    tone: Tone
    """Of the accuracy."""

    @property
    def headline(self) -> str:
        """Size and speed: 'Half the size, 1.6× as fast'."""
        return _capital(", ".join(part for part in (self.size, self.speed) if part))

    @property
    def rest(self) -> str:
        """Answers and what they show, as a sentence."""
        return _capital(": ".join(part for part in (self.answers, self.meaning) if part)) + "."

    @property
    def text(self) -> str:
        """All of it, two sentences."""
        return f"{self.headline}. {self.rest}"


def verdict(facts: Facts) -> Verdict:
    """The verdict on two networks."""
    meaning, tone = _meaning(facts)
    return Verdict(
        size=size_words(facts.params, facts.nonzero),
        speed=speed_words(facts.speedups),
        answers=answer_words(facts.changes, facts.things),
        meaning=meaning,
        tone=tone,
    )


def facts_of(pair: Pair) -> Facts:
    """The facts of two networks whose runs are at hand."""
    before, after, difference = pair.before, pair.after, pair.difference
    found = [pair.speedup(batch) for batch in pair.batches]
    counted = None
    if before.answers is not None and after.answers is not None:
        counted = changes(before.answers, after.answers)
    elif difference is not None and after.figures.test is not None:
        counted = changes_of(difference, after.figures.test.images)
    return Facts(
        params=(before.figures.params, after.figures.params),
        nonzero=(before.figures.nonzero, after.figures.nonzero),
        speedups=tuple(speedup for speedup in found if speedup is not None),
        accuracy=_both(before.figures.test, after.figures.test),
        changes=counted,
        difference=difference,
        things=THINGS.get(pair.data_name, "images"),
    )


def facts_of_result(result: Result, answers: Mapping[str, Answers] | None = None) -> Facts:
    """The facts of a finished run against dense, from its figures and, where they were kept, its answers."""
    dense, pruned = result.dense, result.pruned
    difference = None if result.difference is None else result.difference.paired
    counted = None
    if answers and {"dense", "pruned"} <= answers.keys():
        counted = changes(answers["dense"], answers["pruned"])
    elif difference is not None and pruned.test is not None:
        counted = changes_of(difference, pruned.test.images)
    return Facts(
        params=(dense.params, pruned.params),
        nonzero=(dense.nonzero, pruned.nonzero),
        speedups=result.speedups,
        accuracy=_both(dense.test, pruned.test),
        changes=counted,
        difference=difference,
        things=THINGS.get(result.data.name, "images") if result.data is not None else "images",
    )


def size_words(params: tuple[int, int], nonzero: tuple[int, int]) -> str:
    """How large the second network is.

    >>> size_words((1000, 500), (1000, 500)), size_words((1000, 370), (1000, 370))
    ('half the size', '37 % of the size')
    """
    share = params[1] / params[0]
    if params[0] == params[1]:
        if nonzero[1] < nonzero[0]:
            return f"the same size, with {_percent(1 - nonzero[1] / params[1])} of its parameters zero"
        if nonzero[1] > nonzero[0]:
            return "the same size, with fewer of its parameters zero"
        return "the same size"
    if abs(share - 1) < NEARLY:
        return "nearly the same size"
    if share > 1:
        return f"larger, {share:.2f}× the size"
    for fraction, name in FRACTIONS:
        if abs(share - fraction) <= NAMED * min(1.0, 2 * fraction):
            return name
    return f"{_percent(share)} of the size"


def speed_words(speedups: Sequence[Speedup]) -> str:
    """What the clock shows, for one image first; the other batch sizes only where they show something else."""
    if not speedups:
        return ""
    first = speedups[0]
    others = [speedup for speedup in speedups[1:] if _direction(speedup) != _direction(first)]
    if not others:
        return _speed(first)
    alone = "for one image" if first.batch == 1 else f"for {first.batch} at a time"
    rest = " and ".join(f"{_speed(speedup)} for {speedup.batch} at a time" for speedup in others)
    return f"{_speed(first)} {alone} but {rest}"


def answer_words(found: Changes | None, things: str) -> str:
    """What became of the answers, led by the denominator.

    >>> answer_words(Changes(images=1000, same=985, newly_wrong=9, newly_right=6, otherwise=0), "digits")
    'of 1,000 digits 985 get the same answer, 9 are newly wrong and 6 newly right'
    """
    if found is None:
        return ""
    head = f"of {found.images:,} {things} {found.same:,} "
    changed = f"{found.newly_wrong:,} {'is' if found.newly_wrong == 1 else 'are'} newly wrong"
    if found.otherwise is None:
        return f"{head}are answered as rightly or wrongly as before, {changed} and {found.newly_right:,} newly right"
    verb = "gets" if found.same == 1 else "get"
    if not found.otherwise:
        return f"{head}{verb} the same answer, {changed} and {found.newly_right:,} newly right"
    return (
        f"{head}{verb} the same answer, {changed}, {found.newly_right:,} newly right and {found.otherwise:,} wrong in "
        "another way"
    )


def points(difference: Difference) -> str:
    """The span of a change in percentage points: '−0.6 to +0.9'."""
    low, high = (100 * end for end in difference.interval)
    return f"{signed(low)} to {signed(high)}"


def signed(value: float) -> str:
    """One digit with its sign: '+0.3', '−0.6', '0.0'."""
    text = f"{abs(value):.1f}"
    return text if float(text) == 0 else ("+" if value > 0 else "−") + text


def _meaning(facts: Facts) -> tuple[str, Tone]:
    difference = facts.difference
    if facts.accuracy is None:
        return "what it answers was not measured, for there were no test images", "unknown"
    if difference is None or facts.changes is None:
        before, after = (f"{100 * share:.1f} %" for share in facts.accuracy)
        return (
            f"{before} and {after} of the answers are right, but whether that is a difference cannot be told: the "
            "answers image by image were not kept",
            "unknown",
        )
    low, high = (100 * end for end in difference.interval)
    size = 100 * abs(difference.accuracy)
    if low > 0:
        return f"a gain of {size:.1f} percentage points ({low:.1f} to {high:.1f})", "better"
    if high < 0:
        return f"a loss of {size:.1f} percentage points ({-high:.1f} to {-low:.1f})", "worse"
    return f"no difference that {facts.changes.images:,} images can show", "same"


def _both(before: Measurement | None, after: Measurement | None) -> tuple[float, float] | None:
    return None if before is None or after is None else (before.value, after.value)


def _speed(speedup: Speedup) -> str:
    about = "about " if speedup.estimated else ""
    if speedup.low > 1:
        return f"{about}{speedup.middle:.1f}× as fast" if speedup.middle >= 1.05 else "barely faster"
    if speedup.high < 1:
        return f"slower ({about}{speedup.middle:.2f}× as fast)"
    return "no measurable speed-up"


def _direction(speedup: Speedup) -> int:
    return (speedup.low > 1) - (speedup.high < 1)


def _percent(share: float) -> str:
    return f"{100 * share:.{0 if 0.1 <= share <= 0.95 else 1}f} %"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
