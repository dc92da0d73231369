"""The table of engines. A new one is a file beside this one, a line here, and its name in `names.py`."""

from __future__ import annotations

from collections.abc import Iterable

from pruning.base.errors import InputError, excerpt
from pruning.latency.engines.compiled import COMPILED
from pruning.latency.engines.eager import EAGER
from pruning.latency.engines.engine import Engine
from pruning.latency.engines.names import ENGINE_NAMES
from pruning.latency.engines.onnx_runtime import ONNX_RUNTIME
from pruning.latency.engines.openvino_cpu import OPENVINO

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (EAGER, COMPILED, ONNX_RUNTIME, OPENVINO)}
"""By name; the first one is what others are compared with."""


def find_engine(name: str) -> Engine:
    """Raises InputError where there is none of that name."""
    if name not in ENGINES:
        raise InputError(f"There is no engine '{excerpt(name)}': take {', '.join(ENGINES)}.")
    return ENGINES[name]


def needed_engine(name: str) -> Engine:
    """Raises InputError where there is none of that name, or where it is not here."""
    engine = find_engine(name)
    reason = engine.why_not()
    if reason is not None:
        raise InputError(reason)
    return engine


def engine_key(name: str) -> str:
    """What tells times on an engine from those on others: its name and version; '' for PyTorch eager, whose version
    whoever keeps times has anyway.

    Raises:
        InputError: as `needed_engine`.
    """
    engine = needed_engine(name)
    return "" if engine is EAGER else f"{engine.name} {engine.version()}"


def sorted_out(names: Iterable[str]) -> tuple[list[Engine], dict[str, str]]:
    """Of the engines of these names, in the table's order, those that are here, and why the others are not.

    Raises:
        InputError: there is none of a name.
    """
    wanted = {find_engine(name).name for name in names}
    found = [engine for engine in ENGINES.values() if engine.name in wanted]
    absent = {engine.name: why for engine in found if (why := engine.why_not()) is not None}
    return [engine for engine in found if engine.name not in absent], absent


assert tuple(ENGINES) == ENGINE_NAMES
