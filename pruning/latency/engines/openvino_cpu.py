"""OpenVINO on the processor."""

from __future__ import annotations

import sys
from functools import partial
from importlib import metadata
from typing import Any

from pruning.base.errors import InputError, first_line
from pruning.base.extras import why_missing
from pruning.graph.inputs import Inputs
from pruning.latency.engines.candidate import Candidate
from pruning.latency.engines.engine import Bound, Engine, Loaded
from pruning.onnx.feeds import arrays_of
from pruning.onnx.write import Written

SETTINGS = {
    "PERFORMANCE_HINT": "LATENCY",
    "NUM_STREAMS": "1",
    "INFERENCE_PRECISION_HINT": "f32",
    "ENABLE_HYPER_THREADING": True,
    "ENABLE_CPU_PINNING": False,
}
"""One request at a time in full precision (what a quantized file says is computed in int8 all the same); no thread is
bound to a core on which another copy's may be bound, too."""


TELEMETRY = "openvino_telemetry"


def load(candidate: Candidate, batch: int, threads: int) -> Loaded:
    """The network's ONNX file, compiled for inputs of the batch size."""
    openvino, file = _openvino(), candidate.onnx(batch)
    try:
        core = openvino.Core()
        model = core.read_model(str(file.path))
        model.reshape({name: list(array.shape) for name, array in _sizes(candidate, file, batch, model).items()})
        made = core.compile_model(model, "CPU", {**SETTINGS, "INFERENCE_NUM_THREADS": threads})
    except Exception as error:  # it raises RuntimeError and kinds of its own
        raise InputError(f"OpenVINO cannot run this network: {first_line(error)}.") from error
    own = made.get_property("INFERENCE_NUM_THREADS")
    if own != threads:
        raise InputError(f"OpenVINO takes {own} threads here, where {threads} were asked for: ask for no more.")
    return partial(_bound, made.create_infer_request(), file)


def _openvino() -> Any:
    """The package, without the part of it that tells its maker of each import."""
    sys.modules.setdefault(TELEMETRY, None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _sizes(candidate: Candidate, file: Written, batch: int, model: Any) -> dict[str, Any]:
    taken = {name for one in model.inputs for name in one.names}
    return {name: array for name, array in arrays_of(file, candidate.inputs.resized(batch)).items() if name in taken}


def _bound(request: Any, file: Written, inputs: Inputs) -> Bound:
    taken = {name for one in request.model_inputs for name in one.names}
    feed = {name: array for name, array in arrays_of(file, inputs).items() if name in taken}

    def run() -> list[Any]:
        found = request.infer(feed, share_inputs=True, share_outputs=True)
        return list(found.values())

    return run


OPENVINO = Engine(
    name="openvino",
    title="OpenVINO",
    takes_layers=True,
    explanation="Intel's engine for networks on processors; it reads ONNX files.",
    why_not=lambda: why_missing("openvino", "OpenVINO") or why_missing("export", "An ONNX file for OpenVINO"),
    version=lambda: metadata.version("openvino"),
    precisions=("float32", "int8"),
    load=load,
)
