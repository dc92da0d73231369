"""What repair gave each class as a drawing that needs no script; its colours are CSS variables of the report's page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pruning.base.words import percent
from pruning.compare.repaired import ClassRepaired, RepairGain
from pruning.export.report.parts import key

MOST = 30
"""Classes that are drawn, those that still lose most."""
LONGEST = 20
"""Letters of a class's name."""
WIDTH, LEFT, RIGHT, TOP, ROW, BELOW = 720, 140, 16, 8, 24, 44
SIZE = 5
"""Half a mark's width."""


def drawing(found: RepairGain) -> str:
    """A line a class, from the cut to the repair, with the 95 % interval of what it won; beside it the unpruned network
    and the fine-tuned one."""
    shown = found.classes[:MOST]
    floor = TOP + ROW * len(shown)
    marks = [*_axis(floor), *(mark for place, one in enumerate(shown) for mark in _row(one, found, place))]
    alt = f"Accuracy of {len(shown)} classes as cut and repaired; the table below has the numbers"
    return (
        f'<svg viewBox="0 0 {WIDTH} {floor + BELOW}" role="img" aria-label="{alt}">{"".join(marks)}</svg>'
        f"<figcaption>{_keys(shown, found)}</figcaption>"
    )


def _x(share: float) -> float:
    """Pixels from the left."""
    return round(LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT), 1)


def _axis(floor: int) -> list[str]:
    drawn = []
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        at = _x(share)
        drawn.append(f'<path d="M{at} {TOP}V{floor}" stroke="var(--line)"/>')
        drawn.append(f'<text x="{at}" y="{floor + 18}" text-anchor="middle">{share * 100:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    drawn.append(f'<text x="{middle}" y="{floor + 38}" text-anchor="middle">accuracy on select images, %</text>')
    return drawn


def _row(one: ClassRepaired, found: RepairGain, place: int) -> list[str]:
    middle = TOP + ROW * place + ROW / 2
    name = one.name if len(one.name) <= LONGEST else f"{one.name[: LONGEST - 1]}…"
    start, end = one.accuracy("as_cut"), one.accuracy("repaired")
    low, high = (_x(start + change) for change in one.gained.interval)
    ends = f"M{low} {middle - 4}v8M{high} {middle - 4}v8"
    drawn = [
        f'<text x="{LEFT - 12}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>',
        f'<path d="M{_x(start)} {middle}H{_x(end)}" stroke="var(--{_tone(one)})" stroke-width="5" opacity=".5"/>',
        f'<path d="M{low} {middle}H{high}{ends}" stroke="var(--soft)" stroke-width="1.2"/>',
        _cross(_x(one.accuracy("dense")), middle),
        f'<circle cx="{_x(start)}" cy="{middle}" r="{SIZE}" fill="none" stroke="var(--removed)" stroke-width="2"/>',
        f'<rect x="{_x(end) - SIZE}" y="{middle - SIZE}" width="{2 * SIZE}" height="{2 * SIZE}" fill="var(--kept)"/>',
    ]
    if found.tuned:
        drawn.append(_diamond(_x(one.accuracy("finetuned")), middle))
    said = f"{one.name}: {percent(start)} as cut, {percent(end)} repaired"
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
    keys += [key("dense", "unpruned")]
    keys += [key(f"stroke {tone}", word) for tone, word in words.items() if tone in tones]
    return "".join(keys)
