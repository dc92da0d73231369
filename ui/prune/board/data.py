"""What the board is given of a network: gathered for this session, and the slow parts kept for all sessions."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.base.words import threads
from pruning.criteria import CRITERIA
from pruning.latency.threads import timing_threads
from ui.kit import curves, lab, state
from ui.prune import clock
from ui.session import cuts

if TYPE_CHECKING:
    from pruning.render.board import BoardData
    from pruning.runs.result import Result
    from pruning.spec import PruneSpec
    from pruning.statistics.gather import Statistics
    from pruning.subject import Subject


def prepare(subject: Subject, cut: PruneSpec, result: Result | None) -> BoardData:
    """All that the board shows of a network.

    `result`: of a run of this very cut, if one is shown.

    Raises:
        InputError: weights are NaN or infinite.
    """
    from pruning.render import board

    widths = clock.widths(subject)
    found = clock.known(subject, cut, result) if widths.is_usual else None
    key = board.plan_key(cuts.positions(subject).numbers, cuts.free_rows(subject))
    time = {"key": key, "big": found.big, "kind": found.badge, "small": found.small} if found else None
    steps, drops = board.timed(widths.steps)
    known = board.curves_of(curves.best(subject, cut), subject.graph) if subject.missing is None else {}
    metric = subject.task.metric
    return board.BoardData(
        fixed=fixed(subject),
        criteria=criteria(subject),
        curves=known,
        limit=board.limit(known, metric),
        metric=metric.title,
        axis=board.axis(known, metric),
        steps=steps,
        drops=drops,
        widths=board.widths_words(widths.measuring),
        times=[time] if time else [],
        places=[(place.name, place.title, place.is_here) for place in clock.places(subject).values()],
        place=widths.place.name,
        threads=threads(widths.place.threads or timing_threads()),
    )


def fixed(chosen: Subject) -> dict[str, Any]:
    """Rows, scores and costs of a network for the chosen granularity and criterion, cached for all sessions.

    Raises:
        InputError: weights are NaN or infinite.
    """
    spec = cuts.ranking()
    ranked = lab.statistics(chosen, spec)
    return _fixed(chosen.identity, lab.key(chosen, spec), chosen, spec, ranked)


def criteria(chosen: Subject) -> list[tuple[str, str, str]]:
    """Name and title of each criterion, and why it cannot rank what is chosen, or ''."""
    granularity = state.get(cuts.GRANULARITY)
    return [(name, entry.full_title, cuts.unfit(chosen, granularity, entry) or "") for name, entry in CRITERIA.items()]


@st.cache_resource(show_spinner=False, max_entries=16)
def _fixed(digest: str, key: str, _subject: Subject, _spec: PruneSpec, _ranked: Statistics | None) -> dict[str, Any]:
    from pruning.render.board_rows import rows_and_costs

    shape = hashlib.sha256(json.dumps([digest, key]).encode()).hexdigest()[:16]
    return rows_and_costs(_subject, _spec, _ranked) | {"shape": shape}
