"""ONNX Runtime on the processor."""

from __future__ import annotations

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

ERRORS_ONLY = 3


def session_of(file: Written, threads: int) -> Any:
    """An inference session of so many threads, which do not go on spinning once it is done: copies of networks take
    turns here.

    Raises:
        InputError: it cannot run the file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(str(file.path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # it raises kinds of its own
        raise InputError(f"ONNX Runtime cannot run this network: {first_line(error)}.") from error


def load(candidate: Candidate, batch: int, threads: int) -> Loaded:
    """A session of the network's ONNX file."""
    file = candidate.onnx(batch)
    return partial(_bound, session_of(file, threads), file)


def _bound(session: Any, file: Written, inputs: Inputs) -> Bound:
    taken = {one.name for one in session.get_inputs()}
    feed = {name: array for name, array in arrays_of(file, inputs).items() if name in taken}
    return partial(session.run, list(file.outputs), feed)


ONNX_RUNTIME = Engine(
    name="onnxruntime",
    title="ONNX Runtime",
    takes_layers=True,
    explanation="Microsoft's engine for ONNX files, on this processor.",
    why_not=lambda: why_missing("export", "ONNX Runtime"),
    version=lambda: metadata.version("onnxruntime"),
    precisions=("float32", "int8"),
    load=load,
)
