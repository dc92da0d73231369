"""The two networks that Compare shows: chosen in two boxes, kept in the address (`?a=&b=`), opened once for all.

`a` and `b` are names of finished runs; no `a`, or an empty one, is the dense network that `b` was held against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, loaders, run_index, state, visitor

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.compare.sides import Pair, Side
    from pruning.runs import Run, Unreadable
    from pruning.runs.summary import Summary

BEFORE, AFTER = "compare_before", "compare_after"
"""Name of a finished run; '' for dense."""
_ADDRESS = "compare_address"
"""The names that this page last read from the address or wrote there."""
DENSE = ""
state.DEFAULTS.update({BEFORE: DENSE, AFTER: None})


MOST = 100
"""Runs that a box offers, the newest; others are opened from Trade-off, or by a link."""
ROOM = 56
"""Letters of a run's words that a box has room for on a wide screen."""
_STYLE = """
@media (min-width:1240px){[data-testid=stLayoutWrapper]:has(>.st-key-compare_chosen){display:none}}
.st-key-compare_head [data-testid=stSelectbox] input{text-overflow:ellipsis}
@media (min-width:641px) and (max-width:1100px){
.st-key-compare_head [data-testid=stHorizontalBlock]{flex-wrap:wrap}
.st-key-compare_head [data-testid=stColumn]:first-child{flex:1 0 100%}
.st-key-compare_head [data-testid=stColumn]:nth-child(n+2){flex:1 0 45%}
.st-key-compare_head [data-testid=stColumn]:nth-child(n+4){flex:0 0 11rem}}
"""


def finished() -> tuple[dict[str, Summary], tuple[Unreadable, ...]]:
    """The newest finished runs by name, and those that the address or the session names; and the folders among the
    runs that cannot be read.

    Raises StorageError where the folder of runs cannot be read.
    """
    from pruning.runs.index.query import Query

    index = run_index.looked()
    found = {run.name: run for run in index.find(run_index.own(Query(finished=True, limit=MOST))).runs}
    asked = (st.query_params.get("a"), st.query_params.get("b"), state.get(BEFORE), state.get(AFTER))
    for name in asked:
        run = index.find_one(name, visitor.current()) if name and name not in found else None
        if run is not None and run.is_done:
            found[run.name] = run
    return found, run_index.unreadable()


def take_up(runs: Mapping[str, Summary]) -> str | None:
    """Take the choice from the address, once each time it changes; gives what was wrong with it, as a sentence.

    Afterwards the session's choice is one that can be shown. `runs` must not be empty.
    """
    from pruning.compare.sides import comparable

    refused = None
    asked = tuple(st.query_params.get(name, "") for name in ("a", "b"))
    if any(asked) and asked != st.session_state.get(_ADDRESS):
        st.session_state[_ADDRESS] = asked
        refused = _adopt(runs, *asked)
    after = state.get(AFTER)
    if after not in runs:
        after = next(iter(runs))
    before = state.get(BEFORE)
    if before not in runs or before == after or not comparable(runs[before], runs[after]):
        before = DENSE
    choose(before, after)
    return refused


def choose(before: str, after: str) -> None:
    """Compare these two from now on, also in the address."""
    state.put(BEFORE, before)
    state.put(AFTER, after)
    st.session_state[_ADDRESS] = (before, after)
    st.query_params["b"] = after
    if before:
        st.query_params["a"] = before
    else:
        st.query_params.pop("a", None)


def boxes(first: DeltaGenerator, second: DeltaGenerator, runs: Mapping[str, Summary]) -> None:
    """The two boxes. The first holds dense, and the runs that looked at the images of the second's choice."""
    from pruning.compare.sides import comparable
    from pruning.runs.index.query import Query
    from pruning.runs.words import data_by_network, told_apart

    after = runs[state.get(AFTER)]
    alike = run_index.own(Query(finished=True, images_digest=after.images_digest or "", limit=MOST))
    known = {**runs, **{run.name: run for run in run_index.find(alike).runs}}
    before = [DENSE, *(name for name, run in known.items() if name != after.name and comparable(run, after))]
    data = data_by_network(known.values())
    said = {name: told_apart(run, data) for name, run in known.items()}
    often = Counter(said.values())  # two options of the same words would be one

    def words(name: str) -> str:
        if name and often[said[name]] > 1:
            return f"{said[name]} · {name}"
        return said[name] if name else f"original, {after.network} as it was"

    older = "The newest are offered; open an older one from Trade-off." if len(runs) >= MOST else None
    first.selectbox("Before", before, format_func=words, help=older, **state.bound(BEFORE))
    second.selectbox("After", list(runs), format_func=words, help=older, **state.bound(AFTER))
    _whole(words(state.get(BEFORE)), words(state.get(AFTER)))


def _whole(before: str, after: str) -> None:
    """What is chosen, below the boxes, which cut off what is too long for them: on a narrow screen nearly all."""
    fits = max(len(before), len(after)) <= ROOM
    st.html(f"<style>{_STYLE}</style>")
    with st.container(key="compare_chosen" if fits else "compare_chosen_long"):
        st.caption(f"Before: {errors.plain(before)}  \nAfter: {errors.plain(after)}")


def folders(runs: Mapping[str, Summary]) -> list[Path]:
    """Of the runs that are chosen."""
    return [runs[name].path for name in (state.get(BEFORE), state.get(AFTER)) if name]


def chosen(runs: Mapping[str, Summary]) -> Pair:
    """The two networks that are chosen, opened.

    Raises:
        PruningError: a run's files are damaged.
    """
    from pruning.compare.sides import Pair

    after, before = _read(runs[state.get(AFTER)]), state.get(BEFORE)
    first = _run_side(_read(runs[before])) if before else _dense_side(after)
    return Pair(before=first, after=_run_side(after))


def _read(summary: Summary) -> Run:
    """The run as its folder is now: the list may be older."""
    from pruning.base.errors import StorageError
    from pruning.runs import read_run

    run = read_run(summary.path)
    if run.result is None:
        raise StorageError(f"{run.name} is not finished any more ({run.state}): choose another run.")
    return run


def _run_side(run: Run) -> Side:
    from pruning.compare.sides import run_side
    from pruning.runs.words import describe

    loaders.trust(run)
    return run_side(run, loaders.open_subject(run.ref, run.recipe.data, run.recipe.preprocess), describe(run))


def _dense_side(run: Run) -> Side:
    from pruning.compare.sides import dense_side

    loaders.trust(run)
    return dense_side(run, loaders.open_subject(run.dense_ref(), run.recipe.data, run.recipe.preprocess))


def _adopt(runs: Mapping[str, Summary], before: str, after: str) -> str | None:
    """Set the session's choice to names from an address; what is wrong with them, as a sentence."""
    from pruning.compare.sides import comparable, find_run

    try:
        second = find_run(runs, after) if after else next(iter(runs.values()))
        state.put(BEFORE, DENSE)
        state.put(AFTER, second.name)
        if before:
            first = find_run(runs, before)
            if not comparable(first, second):
                return f"{first.name} and {second.name} looked at different images, so they cannot be compared."
            state.put(BEFORE, first.name)
    except errors.PruningError as error:
        return str(error)
    return None
