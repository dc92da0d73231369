"""int8: weights and activations on the grids that the file says, calibrated on what was shown and on nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pruning.base.errors import Cancelled, InputError
from pruning.base.extras import is_installed
from pruning.graph.inputs import Inputs
from pruning.onnx.feeds import arrays_of
from pruning.onnx.quantize import quantize
from pruning.onnx.write import Written, write_onnx

pytestmark = [
    pytest.mark.skipif(not is_installed("export"), reason="the packages of the extra 'export' are not here"),
    pytest.mark.usefixtures("quick_exporter"),
]


def network() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 5),
    )  # fmt: skip
    with torch.no_grad():
        model[3].weight *= torch.logspace(-2, 0, 64)[:, None, None, None]  # scales that differ from channel to channel
    return model.eval()


def samples(count: int = 4) -> list[Inputs]:
    return [Inputs.of(torch.randn(8, 3, 12, 12, generator=torch.Generator().manual_seed(n))) for n in range(count)]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return write_onnx(network(), samples()[0], tmp_path / "it.onnx")


def run(written: Written, inputs: Inputs) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(written.path), providers=["CPUExecutionProvider"])
    return session.run(None, arrays_of(written, inputs))[0]


def test_it_answers_nearly_the_same_in_fewer_bytes(written: Written, tmp_path: Path) -> None:
    small = quantize(written, samples(), tmp_path / "int8.onnx")
    assert small.bytes == (tmp_path / "int8.onnx").stat().st_size < 0.5 * written.bytes
    assert (small.inputs, small.outputs, small.opset) == (written.inputs, written.outputs, written.opset)
    new = Inputs.of(torch.randn(5, 3, 12, 12, generator=torch.Generator().manual_seed(9)))
    found, wanted = run(small, new), run(written, new)
    error = np.abs(found - wanted).max()
    assert 0 < error < 0.1 * wanted.std() + 0.05, "not the same, but near"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["int8.onnx", "it.onnx"], "nothing else is left"


def test_weights_lie_on_a_grid_of_their_own_channel(written: Written, tmp_path: Path) -> None:
    import onnx
    from onnx import numpy_helper

    quantize(written, samples(), tmp_path / "int8.onnx")
    model = onnx.load(tmp_path / "int8.onnx")
    held = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    weights = [value for value in held.values() if value.dtype == np.int8 and value.shape == (64, 32, 3, 3)]
    scales = [value for value in held.values() if value.dtype == np.float32 and value.shape == (64,)]
    assert len(weights) == 1 and np.abs(weights[0]).max() <= 64, "7 bits"
    true = network()[3].weight.detach().numpy()
    near = [np.abs(weights[0] * scale[:, None, None, None] - true).max((1, 2, 3)) / scale for scale in scales]
    assert min(error.max() for error in near) <= 0.51, "half a step of the channel's own grid"


def test_activations_have_the_range_that_was_shown(written: Written, tmp_path: Path) -> None:
    """The scale of the input is that of the calibration samples, worked out by hand."""
    import onnx
    from onnx import numpy_helper

    shown = samples(3)
    quantize(written, shown, tmp_path / "int8.onnx")
    model = onnx.load(tmp_path / "int8.onnx")
    held = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    node = next(n for n in model.graph.node if n.op_type == "QuantizeLinear" and n.input[0] == "input")
    values = torch.cat([one.tensors[0].flatten() for one in shown])
    assert float(held[node.input[1]]) == pytest.approx(float(values.max() - values.min()) / 255, rel=1e-3)


def test_without_samples_there_is_no_int8(written: Written, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no samples to calibrate with"):
        quantize(written, [], tmp_path / "int8.onnx")
    assert not (tmp_path / "int8.onnx").exists()


def test_it_can_be_cancelled(written: Written, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        quantize(written, samples(), tmp_path / "int8.onnx", cancel=lambda: True)
    assert [path.name for path in tmp_path.iterdir()] == ["it.onnx"]


def test_nothing_is_printed(written: Written, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    quantize(written, samples(), tmp_path / "int8.onnx")
    assert capfd.readouterr() == ("", "")
