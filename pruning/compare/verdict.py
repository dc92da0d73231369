"""Two networks compared in words, claiming no more than the intervals show. Numbers in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pruning.base.errors import PruningError
from pruning.base.words import rough_percent
from pruning.compare.casualties import Changes, changes, changes_of
from pruning.compare.sides import Pair
from pruning.data.readers import describe_data
from pruning.runs.result import Measurement, Result, Speedup
from pruning.tasks.alike import AGREEMENT
from pruning.tasks.classification import ACCURACY
from pruning.tasks.metric import Difference, Metric
from pruning.training.answers import Answers

Tone = Literal["same", "worse", "better", "unknown"]
FRACTIONS = ((1 / 2, "half the size"), (1 / 3, "a third of the size"), (1 / 4, "a quarter of the size"),
             (1 / 5, "a fifth of the size"), (1 / 10, "a tenth of the size"))  # fmt: skip
NEARLY = 0.005
"""Sizes that differ by less than this share are nearly the same."""
NAMED = 0.01
"""A share is called by a fraction's name where it is so near to it."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a verdict is made of; each pair is before and after."""

    params: tuple[int, int]
    nonzero: tuple[int, int]
    speedups: tuple[Speedup, ...]
    """By batch size, the smallest first; empty: not comparable."""
    values: tuple[float, float] | None
    """The metric on test images; None where they were not looked at."""
    changes: Changes | None
    difference: Difference | None
    """None where the answers image by image were not kept."""
    metric: Metric = ACCURACY
    images: int
    """Test images that were looked at."""
    things: str = "images"
    """What they show."""


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
    """Of the metric."""

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
        answers=answer_words(facts.changes, facts.things, facts.metric),
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
        values=_both(before.figures.test, after.figures.test),
        metric=_metric(after.figures.test),
        images=_images(after.figures.test),
        changes=counted,
        difference=difference,
        things=_things(pair),
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
        values=_both(dense.test, pruned.test),
        metric=_metric(pruned.test),
        images=_images(pruned.test),
        changes=counted,
        difference=difference,
        things="images" if result.data is None else result.data.things or things_of(result.data.name),
    )


def _things(pair: Pair) -> str:
    subject = pair.after.subject
    return things_of(pair.data_name) if subject.images is None else subject.info.things


def things_of(data: str) -> str:
    """What the images of a data set show, in the plural; 'images' where it is not at hand to tell.

    >>> things_of("mnist"), things_of("cifar10"), things_of("of another explorer")
    ('digits', 'photos', 'images')
    """
    try:
        return describe_data(data).things
    except PruningError:
        return "images"


def size_words(params: tuple[int, int], nonzero: tuple[int, int]) -> str:
    """How large the second network is.

    >>> size_words((1000, 500), (1000, 500)), size_words((1000, 370), (1000, 370))
    ('half the size', '37 % of the size')
    """
    share = params[1] / params[0]
    if params[0] == params[1]:
        if nonzero[1] < nonzero[0]:
            return f"the same size, with {rough_percent(1 - nonzero[1] / params[1])} of its parameters zero"
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
    return f"{rough_percent(share)} of the size"


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


def clock_words(pair: Pair) -> str:
    """Every batch size that both were timed at, with its interval: 'Pruned against dense: 1.80× as fast (1.70–1.90)
    at batch 1 ●.'; '' where none was."""
    found = [pair.speedup(batch) for batch in pair.batches]
    said = [
        f"{some.words} at batch {some.batch} {'○' if some.estimated else '●'}" for some in found if some is not None
    ]
    first, second = pair.names
    return f"{second.capitalize()} against {first}: {'; '.join(said)}." if said else ""


def answer_words(found: Changes | None, things: str, metric: Metric = ACCURACY) -> str:
    """What became of the answers, led by the denominator.

    >>> answer_words(Changes(images=1000, same=985, newly_wrong=9, newly_right=6, otherwise=0), "digits")
    'of 1,000 digits 985 get the same answer, 9 are newly wrong and 6 newly right'
    """
    if found is None:
        return ""
    if metric.name == AGREEMENT.name:
        return _agreement_words(found, things)
    head = f"of {found.images:,} {things} {found.same:,} "
    changed = f"{found.newly_wrong:,} {'is' if found.newly_wrong == 1 else 'are'} newly wrong"
    if found.otherwise is None:
        return f"{head}are answered as rightly or wrongly as before, {changed} and {found.newly_right:,} newly right"
    verb = "gets" if found.same == 1 else "get"
    if not found.otherwise:
        return f"{head}{verb} the same answer, {changed} and {found.newly_right:,} newly right"
    turned = f", {changed}" if found.newly_wrong or found.newly_right else ""
    turned += f" and {found.newly_right:,} newly right" if found.newly_right else ""
    still = "was wrong before and still is" if found.otherwise == 1 else "were wrong before and still are"
    return f"{head}{verb} the same answer{turned}; {found.otherwise:,} {still}"


def _agreement_words(found: Changes, things: str) -> str:
    """The same where nobody knows what is right, and two networks are held against the unpruned one.

    >>> _agreement_words(Changes(images=1000, same=985, newly_wrong=15, newly_right=0, otherwise=None), "photos")
    'of 1,000 photos 985 are answered as before, and 15 no longer as the original network answers them'
    >>> _agreement_words(Changes(images=1000, same=985, newly_wrong=15, newly_right=0, otherwise=0), "photos")
    'of 1,000 photos both say the same of 985 and differ in 15'
    >>> _agreement_words(Changes(images=1000, same=985, newly_wrong=9, newly_right=4, otherwise=2), "photos")
    'of 1,000 photos both say the same of 985 and differ in 15 (9 no longer as the original network, 4 newly as it)'
    """
    if found.otherwise is not None:
        parts = f"{found.newly_wrong:,} no longer as the original network, {found.newly_right:,} newly as it"
        told = f" ({parts})" if found.newly_right or found.otherwise else ""
        apart = found.images - found.same
        return f"of {found.images:,} {things} both say the same of {found.same:,} and differ in {apart:,}{told}"
    head = f"of {found.images:,} {things} {found.same:,} are answered as before"
    gained = f", {found.newly_right:,} newly as the original network answers them" if found.newly_right else ""
    return f"{head}{gained}, and {found.newly_wrong:,} no longer as the original network answers them"


def answers_sentence(found: Changes, pair: Pair) -> str:
    """`answer_words` of two networks as a sentence of its own."""
    return _capital(answer_words(found, _things(pair), pair.metric)) + "."


def _meaning(facts: Facts) -> tuple[str, Tone]:
    metric, difference = facts.metric, facts.difference
    if facts.values is None:
        return "what it answers was not measured, for there were no test images", "unknown"
    if difference is None:
        before, after = (metric.words(value) for value in facts.values)
        said = (
            f"{before} and {after} of the answers are right"
            if metric.counts_right
            else f"{metric.title} {before}, {after}"
        )
        return (
            f"{said}, but whether that is a difference cannot be told: the answers image by image were not kept",
            "unknown",
        )
    low, high = metric.gains(difference.interval)
    tone: Tone = "better" if low > 0 else "worse" if high < 0 else "same"
    if tone == "same":
        where = "" if metric.counts else f" in {metric.title}"
        return f"no difference{where} that {facts.images:,} images can show", tone
    size, span = metric.size(difference.value), f"({' to '.join(sorted(map(metric.size, (low, high)), key=float))})"
    if metric.counts:
        of = " of agreement with the original network" if metric.name == AGREEMENT.name else ""
        return f"a {'gain' if tone == 'better' else 'loss'} of {size} percentage points{of} {span}", tone
    return f"{metric.title} is {tone} by {size} {metric.unit_of_change} {span}", tone


def _metric(test: Measurement | None) -> Metric:
    return ACCURACY if test is None else test.kind


def _images(test: Measurement | None) -> int:
    return 0 if test is None else test.images


def _both(before: Measurement | None, after: Measurement | None) -> tuple[float, float] | None:
    return None if before is None or after is None else (before.value, after.value)


def _speed(speedup: Speedup) -> str:
    about = "about " if speedup.estimated else ""
    if speedup.low > 1:
        return f"{about}{speedup.middle:.1f}× as fast" if speedup.middle >= 1.05 else "barely faster"
    if speedup.high < 1:
        return f"slower ({about}{speedup.middle:.2f}× as fast)"
    return "same speed"


def _direction(speedup: Speedup) -> int:
    return (speedup.low > 1) - (speedup.high < 1)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
