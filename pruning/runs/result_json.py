"""A result as JSON: the form of result.json and of `python -m pruning prune --json`, with its earlier versions.

Keys never change their meaning: scripts read them. Figures stand under the name of their metric, beside `metric`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from pruning.base import safe_json
from pruning.base.errors import InputError, StorageError
from pruning.base.fields import Fields
from pruning.cost.counts import Bytes, Cost
from pruning.data.info import Role
from pruning.latency.clock import Timing
from pruning.planning.plan import LayerPlan
from pruning.removal.verify import Check
from pruning.repair.kinds import CANDIDATES
from pruning.runs.recipe import VERSION as RECIPE_VERSION
from pruning.runs.recipe import Recipe
from pruning.runs.result import (
    ACCURACY,
    Change,
    DataUsed,
    FinishedRound,
    Measurement,
    RepairNote,
    Result,
    Side,
    Speedup,
    Stages,
    Timed,
    WorstClass,
)
from pruning.tasks.table import metrics

SCHEMA_VERSION = 3
LARGEST = 8_000_000
"""Bytes of a result's file; one layer takes some 200."""
STAGES = ("as_cut", "recalibrated", "repaired", "finetuned")
Values = dict[str, Any]


def to_values(result: Result) -> Values:
    """JSON-ready, in schema version `SCHEMA_VERSION`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "recipe": {**result.recipe.to_values(), "version": RECIPE_VERSION},
        "model": result.model,
        "model_digest": result.model_digest,
        "data": None if result.data is None else _data_values(result.data),
        "dense": _side_values(result.dense),
        "pruned": _side_values(result.pruned),
        "speedup": {str(speedup.batch): list(speedup.span) for speedup in result.speedups},
        "verdict": {str(speedup.batch): speedup.words for speedup in result.speedups},
        "difference": None if result.difference is None else _difference_values(result),
        **({} if result.looks is None else {"test_looks": result.looks}),
        "stages": stages_values(result.stages),
        **({} if result.dense_select is None else {"dense_select": measurement_values(result.dense_select)}),
        "rounds": [round_values(done) for done in result.rounds],
        "layers": [asdict(layer) for layer in result.layers],
        "check": {**asdict(result.check), "batches": list(result.check.batches)},
        "engine": result.engine,
        "cpu": result.cpu,
        "threads": result.threads,
        "torch": result.torch,
        "seconds": result.seconds,
        **({} if result.timed is None else {"timed": _timed_values(result.timed)}),
    }


def measurement_values(found: Measurement) -> Values:
    """A measurement as it stands in a result, and in the events of a run."""
    return {
        "metric": found.metric,
        found.metric: found.value,
        f"{found.metric}_interval": list(found.interval),
        "correct": found.correct,
        "images": found.images,
        "role": found.role,
    }


def read_result(path: Path) -> Result | None:
    """The result in a file; None where there is no file.

    Raises:
        StorageError: it is damaged, contradicts itself, or was written by a later version of the explorer.
    """
    values = safe_json.read_object(path, most_bytes=LARGEST)
    return None if values is None else from_values(values, path.name)


def from_values(values: Values, where: str) -> Result:
    """A result from its JSON of this or an earlier schema version. `where`: how sentences call it.

    Raises:
        StorageError: as `read_result`.
    """
    version = Fields(values, where).whole("schema_version", 1)
    if version > SCHEMA_VERSION:
        raise StorageError(
            f"This run was made by a later version of the explorer: its {where} has schema version {version}, and this "
            f"explorer reads up to {SCHEMA_VERSION}. Open it with that version, or run its recipe here."
        )
    try:
        for earlier in range(version, SCHEMA_VERSION):
            values = UPGRADES[earlier](values)
        return _result(Fields(values, where))
    except InputError as error:  # values that are each allowed, but not together
        raise StorageError(f"{where} is damaged: {error}") from error


def _with_metric(values: Values) -> Values:
    """From version 1, which knew accuracy alone, and where a few entries came later."""

    def named(part: Any) -> Any:
        return {"metric": ACCURACY, **part} if isinstance(part, dict) and ACCURACY in part else part

    def stages(part: Any) -> Any:
        return {name: named(value) for name, value in part.items()} if isinstance(part, dict) else part

    def side(part: Any) -> Any:
        return {"activation_place": "", **named(part)} if isinstance(part, dict) else part

    rounds = values.get("rounds")
    return {
        "cpu": "",
        **values,
        "dense": side(values.get("dense")),
        "pruned": side(values.get("pruned")),
        "difference": named(values.get("difference")),
        "stages": stages(values.get("stages")),
        "rounds": [stages(each) for each in rounds] if isinstance(rounds, list) else rounds,
    }


def _with_dense_select(values: Values) -> Values:
    """From version 2, which knew the dense network on test images alone: there it stays unknown."""
    return {name: value for name, value in values.items() if name != "dense_select"}


UPGRADES: dict[int, Callable[[Values], Values]] = {1: _with_metric, 2: _with_dense_select}
"""Schema version → the same values in the next version. They copy, and leave what is damaged for the reader."""


def _side_values(side: Side) -> Values:
    return {
        **({} if side.test is None else measurement_values(side.test)),
        **{name: value for found in side.further for name, value in _beside(found).items()},
        "params": side.params,
        "nonzero": side.nonzero,
        "macs": side.macs,
        "bytes": asdict(side.bytes),
        "activation_bytes": side.activation_bytes,
        "activation_place": side.activation_place,
        "latency_ms": {str(batch): asdict(timing) for batch, timing in side.latency.items()},
    }


def _beside(found: Measurement) -> Values:
    """A further metric of a side, under its own name."""
    return {found.metric: found.value, f"{found.metric}_interval": list(found.interval)}


def _data_values(data: DataUsed) -> Values:
    """What is not known of it, as of a published data set, is left out."""
    values = {**asdict(data), "remarks": list(data.remarks)}
    return {name: value for name, value in values.items() if name in ("name", "sha256", "source") or value}


def _difference_values(result: Result) -> Values:
    assert result.difference is not None
    values, worst = _change_values(result.difference), result.worst_class
    if worst is None:
        return values
    return {**values, "worst_class": worst.name, "worst_class_drop": worst.drop, "worst_class_images": worst.images}


def _change_values(change: Change) -> Values:
    return {
        "metric": change.metric,
        change.metric: change.value,
        "interval": list(change.interval),
        "newly_wrong": change.newly_wrong,
        "newly_right": change.newly_right,
    }


def round_values(done: FinishedRound) -> Values:
    """A finished round as it stands in a result."""
    return {"round": done.number, "sparsity": done.sparsity, "steps": done.steps, **stages_values(done.stages)}


def stages_values(stages: Stages) -> Values:
    """The stages of a run or a round as they stand in a result."""
    found = {name: getattr(stages, name) for name in STAGES}
    values: Values = {name: None if value is None else measurement_values(value) for name, value in found.items()}
    return values if stages.repair is None else {**values, "repair": asdict(stages.repair)}


def _result(fields: Fields) -> Result:
    timed = timed_of(fields.part("timed")) if "timed" in fields else None
    return Result(
        recipe=_recipe(fields.part("recipe")),
        model=fields.text("model"),
        model_digest=fields.text("model_digest"),
        data=_data(fields.part("data")) if "data" in fields else None,
        dense=_side(fields.part("dense")),
        pruned=_side(fields.part("pruned")),
        speedups=_speedups(fields.part("speedup")),
        difference=_change(fields.part("difference")) if "difference" in fields else None,
        worst_class=_worst(fields.part("difference")) if "difference" in fields else None,
        looks=fields.whole("test_looks", 1) if "test_looks" in fields else None,
        stages=stages_of(fields.part("stages")),
        dense_select=measurement_of(fields.part("dense_select")) if "dense_select" in fields else None,
        rounds=tuple(round_of(part) for part in fields.parts("rounds")),
        layers=tuple(layer_of(part) for part in fields.parts("layers")),
        check=check_of(fields.part("check")),
        engine=fields.text("engine"),
        cpu=fields.text("cpu"),
        threads=fields.whole("threads"),
        torch=fields.text("torch"),
        seconds=fields.number("seconds"),
        timed=timed,
        **({} if timed is None else {"untimed": timed.without}),
    )


def _recipe(fields: Fields) -> Recipe:
    return Recipe.from_values(dict(fields.items()))


def _data(fields: Fields) -> DataUsed:
    sizes = fields.part("sizes") if "sizes" in fields else None
    return DataUsed(
        name=fields.text("name"),
        sha256=fields.text("sha256"),
        source=fields.text("source"),
        title=fields.text("title") if "title" in fields else "",
        things=fields.text("things") if "things" in fields else "",
        classes=fields.whole("classes", 0) if "classes" in fields else None,
        sizes={} if sizes is None else {name: sizes.whole(name, 0) for name in sizes.names()},
        remarks=fields.texts("remarks") if "remarks" in fields else (),
    )


def _side(fields: Fields) -> Side:
    sizes = fields.part("bytes")
    cost = Cost(
        params=fields.whole("params"),
        nonzero=fields.whole("nonzero"),
        macs=fields.whole("macs"),
        bytes=Bytes(raw=sizes.whole("raw"), deflate=sizes.whole("deflate"), sparse=sizes.whole("sparse")),
        activation_bytes=fields.whole("activation_bytes"),
        activation_place=fields.text("activation_place"),
    )
    latency = fields.part("latency_ms")
    return Side(
        **vars(cost),
        test=measurement_of(fields) if "metric" in fields else None,
        further=_further(fields) if "metric" in fields else (),
        latency={_batch(latency, name): _timing(latency.part(name)) for name in latency.names()},
    )


def measurement_of(fields: Fields) -> Measurement:
    """The inverse of `measurement_values`. Raises StorageError or InputError where it is damaged."""
    metric = fields.text("metric")
    return Measurement(
        metric=metric,
        value=fields.number(metric),
        interval=_interval(fields, f"{metric}_interval"),
        correct=fields.whole("correct") if "correct" in fields else None,
        images=fields.whole("images"),
        role=_role(fields),
    )


def _timed_values(timed: Timed) -> Values:
    at = {} if timed.at is None else {"at": timed.at.isoformat()}
    return {**at, "cpu": timed.cpu, "threads": timed.threads, "engine": timed.engine, "torch": timed.torch,
            "noisy": list(timed.noisy)}  # fmt: skip


def timed_of(fields: Fields) -> Timed:
    """How times were taken. Raises StorageError where it is damaged."""
    return Timed(
        at=fields.moment("at") if "at" in fields else None,
        cpu=fields.text("cpu"),
        threads=fields.whole("threads", 1),
        engine=fields.text("engine"),
        torch=fields.text("torch"),
        noisy=fields.wholes("noisy", 1) if "noisy" in fields else (),
    )


def _further(fields: Fields) -> tuple[Measurement, ...]:
    main = fields.text("metric")
    return tuple(
        Measurement(
            metric=name,
            value=fields.number(name),
            interval=_interval(fields, f"{name}_interval"),
            images=fields.whole("images"),
            role=_role(fields),
        )
        for name in metrics()
        if name != main and name in fields
    )


def _worst(fields: Fields) -> WorstClass | None:
    if "worst_class" not in fields:
        return None
    return WorstClass(
        name=fields.text("worst_class"),
        drop=fields.number("worst_class_drop"),
        images=fields.whole("worst_class_images"),
    )


def _role(fields: Fields) -> Role:
    found: Role = fields.choice("role", get_args(Role))  # type: ignore[assignment]
    return found


def _change(fields: Fields) -> Change:
    metric = fields.text("metric")
    return Change(
        metric=metric,
        value=fields.number(metric),
        interval=_interval(fields, "interval"),
        newly_wrong=fields.whole("newly_wrong") if "newly_wrong" in fields else None,
        newly_right=fields.whole("newly_right") if "newly_right" in fields else None,
    )


def _interval(fields: Fields, name: str) -> tuple[float, float]:
    low, high = fields.numbers(name, 2)
    return low, high


def _timing(fields: Fields) -> Timing:
    return Timing(median=fields.number("median"), low=fields.number("low"), high=fields.number("high"))


def _speedups(fields: Fields) -> tuple[Speedup, ...]:
    found = []
    for name in fields.names():
        low, middle, high = fields.numbers(name, 3)
        found.append(Speedup(batch=_batch(fields, name), low=low, middle=middle, high=high))
    return tuple(sorted(found, key=lambda speedup: speedup.batch))


def _batch(fields: Fields, name: str) -> int:
    """A batch size, which is a name here."""
    if not (name.isascii() and name.isdecimal() and len(name) < 10):
        raise StorageError(f"{fields.where} is damaged: '{name[:40]}' is no batch size.")
    return int(name)


def stages_of(fields: Fields) -> Stages:
    """The inverse of `stages_values`. Raises StorageError where they are damaged."""
    found = {name: measurement_of(fields.part(name)) for name in STAGES if name in fields}
    return Stages(**found, repair=_repair(fields.part("repair")) if "repair" in fields else None)


def _repair(fields: Fields) -> RepairNote:
    agreement, left = fields.part("agreement"), fields.part("left")
    return RepairNote(
        method=fields.choice("method", CANDIDATES),  # type: ignore[arg-type]
        agreement={name: agreement.number(name, 0, 1) for name in agreement.names()},
        images=fields.whole("images", 0),
        judged=fields.whole("judged", 0),
        left={name: left.text(name) for name in left.names()},
        without=fields.text("without") if "without" in fields else None,
    )


def round_of(fields: Fields) -> FinishedRound:
    """The inverse of `round_values`. Raises StorageError where it is damaged."""
    return FinishedRound(
        number=fields.whole("round", 1),
        sparsity=fields.number("sparsity", 0, 1),
        steps=fields.whole("steps", 0),
        stages=stages_of(fields),
    )


def layer_of(fields: Fields) -> LayerPlan:
    """A layer's row of a plan. Raises StorageError where it is damaged."""
    total = fields.whole("total", 1)
    return LayerPlan(
        name=fields.text("name"),
        group=fields.text("group") if "group" in fields else None,
        requested=fields.number("requested", 0, 1),
        achieved=fields.number("achieved", 0, 1),
        kept=fields.whole("kept", 0, total),
        total=total,
        note=fields.text("note") if "note" in fields else None,
    )


def check_of(fields: Fields) -> Check:
    """The result of a proof. Raises StorageError where it is damaged."""
    return Check(
        status=fields.choice("status", ("exact", "not_comparable", "refused")),  # type: ignore[arg-type]
        max_error=fields.number("max_error") if "max_error" in fields else None,
        reference=fields.text("reference"),
        reason=fields.text("reason") if "reason" in fields else None,
        batches=fields.wholes("batches", 1) if "batches" in fields else (),
    )
