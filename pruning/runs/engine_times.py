"""What a run's networks take and answer on several engines: the artefact, and how it is read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pruning.base.errors import InputError, StorageError, excerpt
from pruning.base.fields import Fields
from pruning.base.remembered import Remembered
from pruning.base.safe_json import read_object
from pruning.latency.engines.matrix import Cell, cell_of, cell_values
from pruning.latency.engines.table import ENGINES
from pruning.runs.files import ENGINES as FILE
from pruning.runs.result import Measurement
from pruning.runs.result_json import measurement_of, measurement_values

SCHEMA_VERSION = 1
LARGEST = 1_000_000
"""Bytes of the file."""
LONGEST, LONGEST_VERSION = 600, 80
"""Letters of a sentence, and of a version."""
Kind = Literal["dense", "pruned", "int8"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One of the networks that were timed."""

    kind: Kind
    """'int8': the pruned one, quantized."""
    bytes: int | None
    """Of its ONNX file; None where none was written."""
    accuracy: Mapping[str, Measurement] = field(default_factory=dict)
    """On select images, by the engine that computed the answers; empty where it could not be measured."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How the int8 network was made."""

    images: int
    """Train images, of which no label was looked at."""
    method: str


@dataclass(frozen=True, kw_only=True)
class EngineTimes:
    """A run's networks on several engines."""

    at: datetime
    """When it began, with its zone."""
    cpu: str
    threads: int
    """Of every engine."""
    torch: str
    """Version of PyTorch, which other engines are compared with."""
    versions: Mapping[str, str]
    """Of the engines that were timed."""
    variants: tuple[Variant, ...]
    cells: tuple[Cell, ...]
    absent: Mapping[str, str]
    """Engines that were asked for and not timed, each with the sentence why."""
    calibration: Calibration | None = None
    no_int8: str | None = None
    """Why there is no int8 network, in a sentence; None where there is one."""

    def __post_init__(self) -> None:
        places = [(cell.engine, cell.batch) for cell in self.cells]
        if len(set(places)) != len(places):
            raise InputError("an engine was timed twice at one batch size")
        if set(self.versions) != {cell.engine for cell in self.cells} or set(self.absent) & set(self.versions):
            raise InputError("the engines that were timed are not those of the times")
        if any(one.threads != self.threads for cell in self.cells for one in cell.parts):
            raise InputError("the engines were timed with several numbers of threads")
        kinds = [variant.kind for variant in self.variants]
        if len(set(kinds)) != len(kinds) or not {"dense", "pruned"} <= set(kinds):
            raise InputError("the networks are not dense and pruned")
        if (self.calibration is not None) != ("int8" in kinds) or (self.no_int8 is None) != ("int8" in kinds):
            raise InputError("the int8 network is there and not there")
        if "int8" not in kinds and any(cell.int8 is not None for cell in self.cells):
            raise InputError("times are of an int8 network that is not there")

    def variant(self, kind: Kind) -> Variant | None:
        """A network by its kind; None where it was not made."""
        return next((variant for variant in self.variants if variant.kind == kind), None)

    @property
    def is_quiet(self) -> bool:
        """Whether anything was measured in quiet."""
        return any(one.quiet for cell in self.cells for one in cell.parts)

    def to_values(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema_version": SCHEMA_VERSION,
            "at": self.at.isoformat(),
            "cpu": self.cpu,
            "threads": self.threads,
            "torch": self.torch,
            "versions": dict(self.versions),
            "variants": [_variant_values(variant) for variant in self.variants],
            "cells": [cell_values(cell) for cell in self.cells],
            "absent": dict(self.absent),
            "calibration": None if self.calibration is None else dict(vars(self.calibration)),
            "no_int8": self.no_int8,
        }


def engine_times_of(values: Any, where: str) -> EngineTimes:
    """The inverse of `EngineTimes.to_values`. `where`: how sentences call it.

    Raises:
        StorageError: it is damaged, contradicts itself, or is of a later version.
    """
    fields = Fields(values, where)
    if fields.whole("schema_version", 1) > SCHEMA_VERSION:
        raise StorageError(f"{where} is of a later version of the explorer: measure the times again.")
    try:
        return EngineTimes(
            at=fields.moment("at"),
            cpu=_text(fields, "cpu", LONGEST_VERSION),
            threads=fields.whole("threads", 1, 1024),
            torch=_text(fields, "torch", LONGEST_VERSION),
            versions=_by_engine(fields.part("versions"), LONGEST_VERSION),
            variants=tuple(map(_variant, fields.parts("variants"))),
            cells=tuple(map(cell_of, fields.parts("cells"))),
            absent=_by_engine(fields.part("absent"), LONGEST),
            calibration=_calibration(fields.part("calibration")) if "calibration" in fields else None,
            no_int8=_text(fields, "no_int8", LONGEST) if "no_int8" in fields else None,
        )
    except InputError as error:  # values that are each allowed, but not together
        raise StorageError(f"{where} is damaged: {error}.") from error


def read_engine_times(folder: Path) -> EngineTimes | None:
    """Those of the run in a folder; None where none were measured.

    Raises:
        StorageError: as `engine_times_of`.
    """
    return _FILES(folder / FILE)


def _variant_values(variant: Variant) -> dict[str, Any]:
    return {
        "kind": variant.kind,
        "bytes": variant.bytes,
        "accuracy": {engine: measurement_values(found) for engine, found in variant.accuracy.items()},
    }


def _variant(fields: Fields) -> Variant:
    measured = fields.part("accuracy")
    return Variant(
        kind=fields.choice("kind", KINDS),  # type: ignore[arg-type]
        bytes=fields.whole("bytes", 1) if "bytes" in fields else None,
        accuracy={name: measurement_of(measured.part(name)) for name in _engines(measured)},
    )


def _calibration(fields: Fields) -> Calibration:
    return Calibration(images=fields.whole("images", 1), method=_text(fields, "method", LONGEST))


def _by_engine(fields: Fields, longest: int) -> dict[str, str]:
    return {name: _text(fields, name, longest) for name in _engines(fields)}


def _engines(fields: Fields) -> list[str]:
    """The names of all values, which are those of engines."""
    unknown = next((name for name in fields.names() if name not in ENGINES), None)
    if unknown is not None:
        raise StorageError(f"{fields.where} is damaged: there is no engine '{excerpt(unknown)}'.")
    return fields.names()


def _text(fields: Fields, name: str, longest: int) -> str:
    return excerpt(fields.text(name), longest)


def _read(path: Path) -> EngineTimes | None:
    values = read_object(path, most_bytes=LARGEST)
    return None if values is None else engine_times_of(values, path.name)


_FILES = Remembered(_read, most=500)
