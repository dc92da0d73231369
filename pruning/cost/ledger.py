"""The truth ledger: what a cut saves in each currency, and one plain sentence wherever two of them disagree.

Numbers in, sentences out: nothing here runs a network. A cut can look splendid in one currency and do nothing in
another, so parameters, bytes, MACs, memory and time stand side by side and each disagreement is explained.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from pruning.base.words import rough_percent, size

FELL = 1.05
"""A currency counts as fallen from this ratio dense ÷ pruned on: less is rounding."""
APART = 1.25
"""Time and MACs disagree where the interval of the speed-up ends below the ratio of the MACs by this factor (or
begins above it by as much): an estimate of time within 25 % would be a good one."""
FAR_APART = 1.5
"""The same for parameters against MACs or activation memory, which are exact but rarely fall alike."""
ZEROS_SEEN = 0.01
"""Share of zeros among the parameters, beyond those of the dense network, from which zeros are worth a word."""
DEFLATE_LITTLE = 0.15
"""Deflate gains little where it takes off less than this share of the raw bytes."""
LANES = 8
"""float32 numbers in a vector register of a common CPU (AVX2): a width that is no multiple leaves lanes idle."""

STARVED = 4.0
"""MACs for each byte of weights and results below which a layer waits for memory: a core does some 30 GMACs a second
and reads some 8 GB from memory in that time. Linear layers (¼ at batch 1) and depthwise ones (about 2) are below."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One network in every currency but time."""

    params: int
    nonzero: int
    macs: int
    """Of one sample."""
    raw: int
    deflate: int
    sparse: int
    """Bytes as `pruning.cost.counts.Bytes` has them."""
    activation: int
    """Most bytes of intermediate results at once, of one sample."""
    activation_place: str = ""
    """The module that runs then; '' where unknown."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Times of both networks in milliseconds: lower end, median, upper end."""

    batch: int
    dense: tuple[float, float, float]
    pruned: tuple[float, float, float]
    speedup: tuple[float, float, float]
    """Dense over pruned, with its 95 % interval."""
    estimated: bool = False
    """Predicted from the times of single layers; nothing is concluded from it."""
    where: str = ""
    """The engine or the machine; '' where that goes without saying."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Dense beside pruned."""

    dense: Side
    pruned: Side
    clocks: tuple[Clock, ...] = ()
    """Empty: not measured."""
    untimed: str = "not measured"
    """Why there are none, in a few words."""
    widths: tuple[tuple[str, int], ...] = ()
    """Layer and the channels that are left of it, for layers that lost some."""
    starved: tuple[int, int] | None = None
    """How many layers wait for memory rather than arithmetic, of how many; None: not known."""
    deflate_estimated: bool = False


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One sentence or two on where currencies disagree."""

    about: str
    """zeros, layers, file, time or memory."""
    text: str


def count_starved(layers: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """How many of the layers, each as (MACs, bytes of weights and results), wait for memory, and of how many."""
    starved = [macs < STARVED * moved for macs, moved in layers]
    return sum(starved), len(starved)


def remarks(ledger: Ledger) -> tuple[Remark, ...]:
    """Every disagreement between currencies, in the order of the ledger's lines; none where nothing was removed."""
    found = (
        Remark(about="zeros", text=_zeros(ledger)),
        Remark(about="layers", text=_layers(ledger)),
        Remark(about="file", text=_bitmap(ledger)),
        Remark(about="file", text=_deflate(ledger)),
        Remark(about="memory", text=_memory(ledger)),
        Remark(about="time", text=_time(ledger)),
    )
    return tuple(remark for remark in found if remark.text) if _changed(ledger) else ()


def _changed(ledger: Ledger) -> bool:
    return ledger.pruned.params != ledger.dense.params or ledger.pruned.nonzero != ledger.dense.nonzero


def _measured(ledger: Ledger) -> list[Clock]:
    return [clock for clock in ledger.clocks if not clock.estimated]


def _zero_share(side: Side) -> float:
    return 1 - side.nonzero / max(1, side.params)


def _new_zeros(ledger: Ledger) -> bool:
    return _zero_share(ledger.pruned) - _zero_share(ledger.dense) >= ZEROS_SEEN


def _fall(dense: float, pruned: float) -> float:
    return dense / max(1, pruned)


def _zeros(ledger: Ledger) -> str:
    """Zeros save neither MACs nor raw bytes, memory or time."""
    if not _new_zeros(ledger):
        return ""
    same = "are unchanged" if ledger.pruned.macs == ledger.dense.macs else "do not fall with them"
    text = (
        f"{rough_percent(_zero_share(ledger.pruned))} of the parameters are zero, but MACs, raw bytes and activation "
        f"memory {same}: dense kernels multiply a zero like any other number, and a dense tensor stores it."
    )
    if ledger.pruned.macs != ledger.dense.macs:
        return text
    clocks = _measured(ledger)
    faster = [clock for clock in clocks if clock.speedup[0] > 1]
    if faster:
        spans = " and ".join(_span(clock) for clock in faster)
        return f"{text} What the clock shows all the same ({spans}) does not come from the zeros: none was skipped."
    if clocks:
        return f"{text} The clock agrees: no measurable speed-up ({' and '.join(map(_span, clocks))})."
    return f"{text} So time will not change either."


def _layers(ledger: Ledger) -> str:
    """Parameters and MACs live in different layers."""
    params, macs = (_fall(getattr(ledger.dense, name), getattr(ledger.pruned, name)) for name in ("params", "macs"))
    if params > macs * FAR_APART:
        return (
            f"Parameters fell ÷{params:.2f} but MACs only ÷{macs:.2f}: what went sits mostly in layers that use each "
            "weight at few places of the image, such as linear and late layers."
        )
    if macs > params * FAR_APART:
        return (
            f"MACs fell ÷{macs:.2f} but parameters only ÷{params:.2f}: what went sits mostly in early layers, which "
            "have few weights but use each at every place of the image."
        )
    return ""


def _bitmap(ledger: Ledger) -> str:
    """A bitmap of the non-zeros costs a bit a weight."""
    dense, pruned = ledger.dense, ledger.pruned
    if pruned.sparse > pruned.raw:
        return (
            f"As a bitmap and its non-zeros the file would be larger than as it is, {size(pruned.sparse)} against "
            f"{size(pruned.raw)}: the bitmap costs one bit a weight and pays only where more than 1 weight in 32 is "
            f"zero (here {rough_percent(_zero_share(pruned)) if pruned.nonzero < pruned.params else 'none'})."
        )
    nonzero, sparse = _fall(dense.nonzero, pruned.nonzero), _fall(dense.raw, pruned.sparse)
    if _new_zeros(ledger) and nonzero > sparse * APART:
        return (
            f"Non-zero parameters fell ÷{nonzero:.1f}, but a file of a bitmap and the non-zeros is only {sparse:.1f} "
            "times smaller than the plain dense one: the bitmap keeps one bit for every weight, zero or not."
        )
    return ""


def _deflate(ledger: Ledger) -> str:
    """Compression does not see small numbers, only equal ones."""
    gained = 1 - ledger.pruned.deflate / max(1, ledger.pruned.raw)
    if gained >= DEFLATE_LITTLE:
        return ""
    return (
        f"Compression (deflate) takes off only {rough_percent(max(0.0, gained))}: the digits of weights look random to "
        "it. It finds zeros, not small numbers."
    )


def _memory(ledger: Ledger) -> str:
    """Activation memory follows the widest place, whatever went elsewhere."""
    dense, pruned = ledger.dense, ledger.pruned
    removed = max(_fall(dense.params, pruned.params), _fall(dense.macs, pruned.macs))
    memory = _fall(dense.activation, pruned.activation)
    place = f" while {pruned.activation_place} runs" if pruned.activation_place else ""
    if removed < FELL:
        return ""
    if memory <= 1:
        return (
            f"Peak activation memory is unchanged: the most is alive{place}, and what is alive there is not among "
            "what was cut."
        )
    if removed < memory * FAR_APART:
        return ""
    return (
        f"Peak activation memory fell only ÷{memory:.2f}: it follows the number of channels where most is alive"
        f"{f' ({pruned.activation_place})' if pruned.activation_place else ''}, while parameters and MACs fall with "
        "the channels on both sides of a layer."
    )


def _time(ledger: Ledger) -> str:
    """Fewer MACs promise time; the clock decides."""
    macs = _fall(ledger.dense.macs, ledger.pruned.macs)
    if macs < FELL:
        return ""
    said = [(clock, *found) for clock in _measured(ledger) if (found := _against(clock, macs))]
    if not said:
        return ""
    texts = [
        f"{words} {' and '.join(figures for _, _, figures in group)}"
        for words, group in itertools.groupby(said, key=lambda one: one[1])
    ]
    text = f"MACs fell ÷{macs:.2f}, but {' and '.join(texts)}"
    if all(clock.speedup[0] > macs for clock, *_ in said):
        return f"{text}: smaller tensors probably stay in a faster cache."
    return f"{text}: {_reasons(ledger)}."


def _against(clock: Clock, macs: float) -> tuple[str, str] | None:
    """How one speed-up disagrees with the fall of the MACs, in words and in figures; None where it does not."""
    low, middle, high = clock.speedup
    if high < 1:
        return "it became slower,", f"{middle:.2f}× ({_span(clock)})"
    if low <= 1:
        return "there is no measurable speed-up", f"({_span(clock)})"
    if high * APART < macs:
        return "time fell only", f"÷{middle:.2f} ({_span(clock)})"
    if low > macs * APART:
        return "time fell even more,", f"÷{middle:.2f} ({_span(clock)})"
    return None


def _reasons(ledger: Ledger) -> str:
    reasons = ["each layer also takes time to start and to move its data, which does not fall with its MACs"]
    if ledger.starved is not None and ledger.starved[0]:
        few, count = ledger.starved
        reasons.append(f"{few} of {count} layers do so little with each byte they read that they wait for memory")
    odd = [(name, width) for name, width in ledger.widths if width % LANES]
    if odd:
        name, width = odd[0]
        reasons.append(
            f"{len(odd)} of {len(ledger.widths)} cut layers have a width that is no multiple of {LANES} "
            f"(such as {width} in {name}), so part of each vector register is idle"
        )
    return "; ".join(reasons)


def _span(clock: Clock) -> str:
    """The interval of a speed-up: '0.97–1.05×, batch 1'."""
    return f"{clock.speedup[0]:.2f}–{clock.speedup[2]:.2f}×, batch {clock.batch}"
