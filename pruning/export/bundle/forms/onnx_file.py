"""The network for ONNX Runtime and other engines, with any batch size; the unpruned one beside it, to compare with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import nn

from pruning.base.extras import need
from pruning.export.bundle.forms.record import Form, Made, Values, sizes
from pruning.export.bundle.material import Material

FILE, DENSE = "model.onnx", "dense.onnx"
OPENING = """
import onnxruntime
session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
def answer(arrays):
    return session.run(None, {given.name: array for given, array in zip(session.get_inputs(), arrays)})
"""


def _writer(file: str, key: str) -> Callable[[Material, nn.Module, Path, bool], Made]:
    def write(material: Material, model: nn.Module, folder: Path, with_code: bool) -> Made:
        need("export", file)
        from pruning.onnx.write import write_onnx

        written = write_onnx(model, material.inputs, folder / file)
        return Made(files=(file,), config={key: {"file": file, "opset": written.opset}})

    return write


def _usage(config: Values) -> str:
    inputs = config["inputs"]
    zeros = [f'numpy.zeros({tuple(sizes(each))}, "{each["dtype"]}")' for each in inputs]
    file = config["onnx"]["file"]
    return (
        "import numpy, onnxruntime\n\n"
        f'session = onnxruntime.InferenceSession("{file}")\n'
        "names = [given.name for given in session.get_inputs()]\n"
        f"answer = session.run(None, dict(zip(names, [{', '.join(zeros)}])))"
    )


ONNX = Form(
    name="onnx",
    title="ONNX Runtime",
    extra="export",
    write=_writer(FILE, "onnx"),
    opening=OPENING,
    usage=_usage,
)
DENSE_ONNX = Form(
    name="dense_onnx",
    title="ONNX Runtime, the unpruned network",
    of="dense",
    goes_with="onnx",
    extra="export",
    write=_writer(DENSE, "dense_onnx"),
    opening=OPENING,
    usage=lambda config: "",
)
