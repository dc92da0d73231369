"""The two networks that Compare shows: chosen in two boxes, kept in the address (`?a=&b=`), opened once for all.

`a` and `b` are names of finished runs; no `a`, or an empty one, is the dense network that `b` was held against.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, loaders, state, visitor

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.compare.sides import Pair, Side
    from pruning.runs import Run, Unreadable

BEFORE, AFTER = "compare_before", "compare_after"
"""Name of a finished run; '' for dense."""
_ADDRESS = "compare_address"
"""The names that this page last read from the address or wrote there."""
DENSE = ""
state.DEFAULTS.update({BEFORE: DENSE, AFTER: None})


def finished() -> tuple[dict[str, Run], tuple[Unreadable, ...]]:
    """The visitor's finished runs by name, newest first, then those that a link has led to; and the folders of theirs
    that cannot be read.

    Raises StorageError where the folder of runs cannot be read.
    """
    found = visitor.listing()
    runs = {run.name: run for run in found.runs if run.result is not None}
    return runs | _by_link(runs), found.unreadable


def _by_link(known: Mapping[str, Run]) -> dict[str, Run]:
    """Finished runs of others that the address names, or has named before."""
    from pruning.runs import default_runs_dir, read_run
    from pruning.runs.ids import is_run_id

    asked = [st.query_params.get(name, "") for name in ("a", "b")]
    found = {}
    for name in dict.fromkeys((*asked, *(state.get(key) or "" for key in (BEFORE, AFTER)))):
        if name not in known and is_run_id(name):
            with suppress(errors.PruningError):  # no run, or none that can be read
                run = read_run(default_runs_dir() / name)
                if run.result is not None:
                    found[name] = run
    return found


def take_up(runs: Mapping[str, Run]) -> str | None:
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


def boxes(first: DeltaGenerator, second: DeltaGenerator, runs: Mapping[str, Run]) -> None:
    """The two boxes. The first holds dense, and the runs that looked at the images of the second's choice."""
    from pruning.compare.sides import comparable
    from pruning.runs.words import data_by_network, told_apart

    after = runs[state.get(AFTER)]
    before = [DENSE, *(name for name, run in runs.items() if run is not after and comparable(run, after))]
    data = data_by_network(runs.values())

    def words(name: str) -> str:
        return told_apart(runs[name], data) if name else f"dense, {after.network} as it was"

    first.selectbox("Before", before, format_func=words, **state.bound(BEFORE))
    second.selectbox("After", list(runs), format_func=words, **state.bound(AFTER))


def folders(runs: Mapping[str, Run]) -> list[Path]:
    """Of the runs that are chosen."""
    return [runs[name].path for name in (state.get(BEFORE), state.get(AFTER)) if name]


def chosen(runs: Mapping[str, Run]) -> Pair:
    """The two networks that are chosen, opened.

    Raises:
        PruningError: a run's files are damaged.
    """
    from pruning.compare.sides import Pair

    after = runs[state.get(AFTER)]
    before = state.get(BEFORE)
    return Pair(before=_run_side(runs[before]) if before else _dense_side(after), after=_run_side(after))


def _run_side(run: Run) -> Side:
    from pruning.compare.sides import run_side
    from pruning.runs.words import describe

    loaders.trust(run)
    return run_side(run, loaders.open_subject(run.ref, run.recipe.data, run.recipe.preprocess), describe(run))


def _dense_side(run: Run) -> Side:
    from pruning.compare.sides import dense_side

    loaders.trust(run)
    return dense_side(run, loaders.open_subject(run.dense_ref(), run.recipe.data, run.recipe.preprocess))


def _adopt(runs: Mapping[str, Run], before: str, after: str) -> str | None:
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
