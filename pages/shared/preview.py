"""What the Prune page shows of a cut before it is carried out, cached for all sessions.

Everything is keyed on digests and the cut's own settings; arguments with a leading underscore are no part of a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import lab, loaders
from pages.shared.tiles import WAITING, Number, Tile
from pages.shared.words import amount, interval, percent, ratio

if TYPE_CHECKING:
    from pruning.catalog.datasets import Dataset
    from pruning.catalog.models import OpenModel
    from pruning.evaluate import Evaluation
    from pruning.plan import Plan
    from pruning.preview import Preview, Savings

_DENSE = "prune_dense"


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """What follows from a cut without running the network."""

    plan: Plan
    savings: Savings
    macs: dict[str, int]
    """Target's tensor or group → MACs of the layers it runs through, after the cut."""
    dense_macs: dict[str, int]


def arithmetic(opened: OpenModel, cut: lab.Cut) -> Arithmetic:
    """Plan and costs of a cut. Raises InputError for settings that are not allowed."""
    return _arithmetic(opened.digest, cut.key, opened, cut)


def measured(opened: OpenModel, data: Dataset, cut: lab.Cut) -> Preview:
    """Accuracy on select images, as cut and recalibrated: what a run of this cut will start from."""
    return _measured(opened.digest, data.digest, cut.key, opened, data, cut)


def dense(opened: OpenModel, data: Dataset) -> Evaluation:
    """The dense network on select images."""
    found = lab.dense_accuracy(opened, data)
    st.session_state.setdefault(_DENSE, {})[opened.digest, data.info.name] = found
    return found


def dense_so_far(opened: OpenModel, data_name: str) -> Evaluation | None:
    """The same, if this session has it already: it stands beside a cut while that is being measured."""
    found: Evaluation | None = st.session_state.get(_DENSE, {}).get((opened.digest, data_name))
    return found


def scores(opened: OpenModel, granularity: str, criterion: str, seed: int) -> dict[str, tuple[float, ...]]:
    """Sorted scores of every target, for the bars under the sliders."""
    return _scores(opened.digest, granularity, criterion, seed if criterion == "random" else 0, opened)


def tiles(
    costs: Savings,
    granularity: str,
    *,
    dense: Evaluation | None,
    accuracy: Preview | None,
    tuned: Number,
    time: Tile,
    missing: str | None = None,
) -> list[Tile]:
    """The row of big numbers. `missing` says why there can be no accuracy; without it None means: being measured."""
    title = "Accuracy on select images"
    if dense is not None:
        title = f"Accuracy on {dense.images:,} select images · dense {percent(dense.accuracy)} ●"
    if missing is not None:
        first = Tile(title=title, numbers=(Number("–", None, missing, dim=True),), width=2.5)
    else:
        as_cut = _accuracy(accuracy.as_cut, "as cut") if accuracy else WAITING
        again = _accuracy(accuracy.recalibrated, "recalibrated") if accuracy else WAITING
        first = Tile(title=title, numbers=(as_cut, again, tuned), width=2.5)
    if granularity == "weight":
        size = Tile(
            title="Non-zero parameters",
            numbers=(
                Number(
                    ratio(costs.dense_nonzero, costs.nonzero),
                    "measured",
                    f"{amount(costs.nonzero)} of {amount(costs.dense_nonzero)}",
                ),
            ),
        )
        macs = Number("unchanged", "measured", "zeros are still multiplied")
    else:
        small = f"{amount(costs.params)} of {amount(costs.dense_params)}"
        size = Tile(title="Parameters", numbers=(Number(ratio(costs.dense_params, costs.params), "measured", small),))
        small = f"{amount(costs.macs)} of {amount(costs.dense_macs)}"
        macs = Number(ratio(costs.dense_macs, costs.macs), "measured", small)
    return [first, size, Tile(title="MACs of one image", numbers=(macs,)), time]


def tuned_number(result: dict[str, Any] | None) -> Number:
    """Accuracy after fine-tuning from a run's result; a dash where no run of this cut is shown."""
    stage = result["stages"]["finetuned"] if result else None
    if not stage:
        return Number("–", None, "fine-tuned: not yet", dim=True)
    low, high = stage["accuracy_interval"]
    return Number(percent(stage["accuracy"]), "tuned", f"fine-tuned · {interval((low, high))}")


def _accuracy(evaluation: Evaluation | None, stage: str) -> Number:
    if evaluation is None:
        return Number("–", None, f"{stage}: nothing to do", dim=True)
    return Number(percent(evaluation.accuracy), "measured", f"{stage} · {interval(evaluation.interval)}")


@st.cache_resource(show_spinner=False, max_entries=64)
def _arithmetic(digest: str, key: str, _opened: OpenModel, _cut: lab.Cut) -> Arithmetic:
    from pruning.cost import shapes_after
    from pruning.preview import savings, target_macs

    graph = _opened.graph
    plan = lab.plan(_opened, _cut)
    return Arithmetic(
        plan=plan,
        savings=savings(_opened, plan),
        macs=target_macs(graph, _cut.granularity, shapes_after(graph, plan)),
        dense_macs=target_macs(graph, _cut.granularity, graph.shapes),
    )


@st.cache_data(show_spinner=False, max_entries=1000)
def _measured(digest: str, data_digest: str, key: str, _opened: OpenModel, _data: Dataset, _cut: lab.Cut) -> Preview:
    from pruning.preview import preview

    with loaders.computing():
        return preview(_opened, _data, lab.plan(_opened, _cut), _cut.seed)


@st.cache_data(show_spinner=False, max_entries=64)
def _scores(
    digest: str, granularity: str, criterion: str, seed: int, _opened: OpenModel
) -> dict[str, tuple[float, ...]]:
    from pruning.preview import sorted_scores

    return sorted_scores(_opened, granularity, criterion, seed)
