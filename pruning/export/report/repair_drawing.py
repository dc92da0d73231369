"""What repair gave each class as a drawing that needs no script; its colours are CSS variables of the report's page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pruning.base.words import percent
from pruning.compare.repaired import PARTS, ClassRepaired, RepairGain, drawn_range
from pruning.export.report.parts import key

MOST = 30
"""Classes that are drawn, those that still lose most."""
LONGEST = 20
"""Letters of a class's name."""
WIDTH, LEFT, RIGHT, TOP, ROW, BELOW = 720, 140, 16, 8, 24, 44
SIZE = 5
"""Half a mark's width."""
FEW_TICKS = 7
"""Parts between the marks of an axis, at most."""


def drawing(found: RepairGain) -> str:
    """A line a class, from the cut to the repair, with the 95 % interval of what it won; beside it the unpruned network
    and the fine-tuned one."""
    shown = found.classes[:MOST]
    scale = _Scale(*drawn_range(shown))
    floor = TOP + ROW * len(shown)
    rows = (mark for place, one in enumerate(shown) for mark in _row(one, found, place, scale))
    alt = f"Accuracy of {len(shown)} classes as cut and repaired; the table below has the numbers"
    return (
        f'<svg viewBox="0 0 {WIDTH} {floor + BELOW}" role="img" aria-label="{alt}">'
        f"{''.join((*_axis(floor, scale), *rows))}</svg><figcaption>{_keys(shown, found)}</figcaption>"
    )


class _Scale:
    """From a share to its place, where the axis goes from `low` to `high`."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __call__(self, share: float) -> float:
        """Pixels from the left."""
        part = (share - self.low) / (self.high - self.low)
        return round(LEFT + min(1.0, max(0.0, part)) * (WIDTH - LEFT - RIGHT), 1)

    @property
    def ticks(self) -> list[float]:
        """At multiples of a twentieth, a tenth or a fifth: whichever first gives few."""
        for step in (1, 2):
            if (self.high - self.low) * PARTS <= FEW_TICKS * step:
                break
        else:
            step = 4
        return [part / PARTS for part in range(PARTS + 1) if part % step == 0 and self.low <= part / PARTS <= self.high]


def _axis(floor: int, scale: _Scale) -> list[str]:
    drawn = []
    for share in scale.ticks:
        at = scale(share)
        drawn.append(f'<path d="M{at} {TOP}V{floor}" stroke="var(--line)"/>')
        drawn.append(f'<text x="{at}" y="{floor + 18}" text-anchor="middle">{share * 100:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    drawn.append(f'<text x="{middle}" y="{floor + 38}" text-anchor="middle">accuracy on select images, %</text>')
    return drawn


def _row(one: ClassRepaired, found: RepairGain, place: int, scale: _Scale) -> list[str]:
    middle = TOP + ROW * place + ROW / 2
    name = one.name if len(one.name) <= LONGEST else f"{one.name[: LONGEST - 1]}…"
    start, end = scale(one.accuracy("as_cut")), scale(one.accuracy("repaired"))
    low, high = map(scale, one.repaired_span)
    ends = f"M{low} {middle - 4}v8M{high} {middle - 4}v8"
    drawn = [
        f'<text x="{LEFT - 12}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>',
        f'<path d="M{start} {middle}H{end}" stroke="var(--{_tone(one)})" stroke-width="5" opacity=".5"/>',
        f'<path d="M{low} {middle}H{high}{ends}" stroke="var(--soft)" stroke-width="1.2"/>',
        _cross(scale(one.accuracy("dense")), middle),
        f'<circle cx="{start}" cy="{middle}" r="{SIZE}" fill="none" stroke="var(--removed)" stroke-width="2"/>',
        f'<rect x="{end - SIZE}" y="{middle - SIZE}" width="{2 * SIZE}" height="{2 * SIZE}" fill="var(--kept)"/>',
    ]
    if found.tuned:
        drawn.append(_diamond(scale(one.accuracy("finetuned")), middle))
    said = f"{one.name}: {percent(one.accuracy('as_cut'))} as cut, {percent(one.accuracy('repaired'))} repaired"
    return [f"<g><title>{escape(said)}</title>{''.join(drawn)}</g>"]


def _cross(at: float, middle: float) -> str:
    path = f"M{at - SIZE} {middle - SIZE}l{2 * SIZE} {2 * SIZE}m0 {-2 * SIZE}l{-2 * SIZE} {2 * SIZE}"
    return f'<path d="{path}" stroke="var(--dense)" stroke-width="2"/>'


def _diamond(at: float, middle: float) -> str:
    reach = SIZE + 1.5
    path = f"M{at} {middle - reach}l{reach} {reach}l{-reach} {reach}l{-reach} {-reach}z"
    return f'<path d="{path}" fill="var(--other)"/>'


def _tone(one: ClassRepaired) -> str:
    if not one.gain_stands:
        return "dense"
    return "kept" if one.gained.value > 0 else "removed"


def _keys(shown: Sequence[ClassRepaired], found: RepairGain) -> str:
    tones = {_tone(one) for one in shown}
    words = {"kept": "gained", "removed": "lost", "dense": "may be chance"}
    keys = [key("ring", "as cut"), key("kept", "repaired")]
    keys += [key("ink other", "fine-tuned")] if found.tuned else []
    keys += [key("dense", "original")]
    keys += [key(f"stroke {tone}", word) for tone, word in words.items() if tone in tones]
    return "".join(keys)
