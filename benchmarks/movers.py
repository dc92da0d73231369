"""Visitors who move the sliders of Prune, and how long each move takes to its counts and to its first accuracy."""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.client import Drawn, Visitor

BOARD = "layer_board"
_REV = re.compile(r'class="px-live"[^>]* data-rev="(\d+)"')
_DIM = re.compile(r"recalibrated(:| ·) measuring")
_LAST = "px-legend px-words"
"""In the last element of the page before accuracy is measured: what comes before it has the counts of the move."""


@dataclass
class Move:
    """One change of the plan; times on the monotonic clock."""

    rev: int
    sent: float
    counted: float | None = None
    """When the page had drawn everything but the accuracy."""
    measured: float | None = None
    """When the first accuracy of this plan, or of one after it, stood in the tile."""
    recalibrated: float | None = None
    """When that after recalibration did; most are moved on from before."""


@dataclass
class Mover:
    """A visitor of Prune with a hand on the board."""

    visitor: Visitor
    seed: int
    moves: list[Move] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._removed: dict[str, int] = {}
        self.visitor.on_draw = self._see

    @property
    def board(self) -> dict[str, Any]:
        """What the page last gave the board."""
        return self.visitor.component(BOARD)

    async def move(self) -> Move:
        """Put one row elsewhere, as a hand does."""
        board = self.board
        rows = [row for row in board["rows"] if row["locked"] is None]
        row = self._random.choice(rows)
        most = max(1, int(0.7 * row["total"]))
        self._removed[row["name"]] = self._random.randint(1, most)
        move = Move(rev=len(self.moves) + 1, sent=time.monotonic())
        self.moves.append(move)
        await self.visitor.put(BOARD, {"plan": self._plan(board, move.rev, row["name"])})
        return move

    async def keep_moving(self, until: float, pause: tuple[float, float]) -> None:
        """Move every few seconds (the least and the most of `pause`) until then, and see the last one through."""
        await asyncio.sleep(self._random.uniform(0, pause[1]))
        while time.monotonic() < until:
            await self.move()
            await asyncio.sleep(self._random.uniform(*pause))

    def _plan(self, board: dict[str, Any], rev: int, chosen: str) -> dict[str, Any]:
        return {
            "rev": rev, "token": board["token"], "removed": dict(self._removed), "pinned": [], "share": 0.0,
            "asked": {}, "mode": "uniform", "chosen": chosen, "granularity": board["granularity"],
            "criterion": board["criterion"], "asks": {},
        }  # fmt: skip

    def _see(self, drawn: Drawn, now: float) -> None:
        if drawn.kind != "html":
            return
        text = drawn.text
        if _LAST in text:
            run = self.visitor.runs[-1]
            for move in self.moves:
                if move.counted is None and not run.fragments and run.started >= move.sent:
                    move.counted = now
        elif found := _REV.search(text):
            for move in self.moves:
                if move.measured is None and move.rev <= int(found[1]):
                    move.measured = now
                    move.counted = move.counted or now
                if move.recalibrated is None and move.rev == int(found[1]) and not _DIM.search(text):
                    move.recalibrated = now


def waits(movers: Sequence[Mover], what: str, since: float = 0.0, until: float = math.inf) -> dict[str, float]:
    """Seconds to `counted`, `measured` or `recalibrated` of all moves sent between two moments: how many, median, p95,
    longest; what never came is endless, and stands as −1."""
    found = sorted(
        (getattr(move, what) or math.inf) - move.sent
        for mover in movers
        for move in mover.moves
        if since <= move.sent < until
    )
    if not found:
        return {"moves": 0}
    return {
        "moves": len(found),
        "never": sum(math.isinf(value) for value in found),
        "p50": _rounded(found[len(found) // 2]),
        "p95": _rounded(found[min(len(found) - 1, math.ceil(0.95 * len(found)) - 1)]),
        "longest": _rounded(found[-1]),
    }


def _rounded(seconds: float) -> float:
    return -1.0 if math.isinf(seconds) else round(seconds, 3)
