"""ONNX files: what they hold computes what the module does, at batch sizes that it was not written at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pruning.base.errors import InputError, StorageError
from pruning.base.extras import is_installed
from pruning.catalog.openers import open_network
from pruning.graph.inputs import Inputs
from pruning.graph.outputs import output_tensors
from pruning.onnx import write
from pruning.onnx.feeds import arrays_of
from pruning.onnx.write import OPSET, Written, write_onnx

pytestmark = [
    pytest.mark.skipif(not is_installed("export"), reason="the packages of the extra 'export' are not here"),
    pytest.mark.usefixtures("quick_exporter"),
]


class Pair(nn.Module):
    """Two inputs, of which the second is of no batch; two outputs in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 2)
        self.norm = nn.BatchNorm2d(4)
        self.norm.running_mean.uniform_(-1, 1)  # type: ignore[union-attr]

    def forward(self, image: Tensor, scale: Tensor) -> dict[str, Tensor]:
        seen = self.norm(self.conv(image)) * scale
        return {"scores": self.head(seen.mean((2, 3))), "map": seen}


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        if y.sum() > 0:
            return y
        return -y


class Decomposes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.ModuleDict({"part": Eigen()})

    def forward(self, x: Tensor) -> Tensor:
        return self.inner["part"](x)


class Eigen(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        return torch.linalg.eigvalsh(y[:, :, None] @ y[:, None, :])


class OneSize(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.view(3, 2, 2).flatten(1))


def run(written: Written, inputs: Inputs) -> list[Tensor]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(written.path), providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == list(written.inputs)
    return [torch.as_tensor(found) for found in session.run(list(written.outputs), arrays_of(written, inputs))]


def check_agrees(model: nn.Module, example: object, path: Path, sizes: tuple[int, ...] = (1, 2, 5)) -> Written:
    model.eval()
    inputs = Inputs.of(example)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    written = write_onnx(model, inputs, path)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    for size in sizes:
        own = inputs.random(size, torch.float32, seed=size)
        with torch.no_grad():
            wanted = output_tensors(own.call(model))
        found = run(written, own)
        assert len(found) == len(wanted) == len(written.outputs)
        for one, other in zip(found, wanted, strict=True):
            assert one.shape == other.shape
            assert bool(((one - other).abs() <= 1e-4 + 1e-4 * other.abs()).all()), f"batch {size}"
    return written


@pytest.mark.parametrize("name", ["mini_resnet", "lenet5"])
def test_samples_compute_the_same(name: str, tmp_path: Path) -> None:
    network = open_network(f"sample:{name}")
    written = check_agrees(network.model, network.example_inputs, tmp_path / "it.onnx")
    assert (written.inputs, written.outputs, written.opset, written.batch) == (("input",), ("output",), OPSET, None)
    assert written.bytes == (tmp_path / "it.onnx").stat().st_size and list(tmp_path.iterdir()) == [tmp_path / "it.onnx"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "ref",
    ["sample:resnet20", "sample:vgg_small", "sample:lenet300", "torchvision:resnet18?size=64",
     "torchvision:mobilenet_v3_small?size=64", "torchvision:vit_b_16?size=32", "torchvision:swin_t?size=64",
     "timm:resnet18?size=64", "timm:vit_tiny_patch16_224", "timm:convnext_atto?size=64"],
)  # fmt: skip
def test_networks_compute_the_same(ref: str, tmp_path: Path) -> None:
    if ref.startswith("timm") and not is_installed("timm"):
        pytest.skip("timm is not here")
    network = open_network(ref)
    check_agrees(network.model, network.example_inputs, tmp_path / "it.onnx")


def test_several_inputs_and_outputs_are_numbered(tmp_path: Path) -> None:
    example = {"scale": torch.rand(1, 4, 1, 1), "image": torch.rand(2, 3, 8, 8)}
    inputs = Inputs.of(example, batch_dims=(None, 0))
    written = check_agrees(Pair(), inputs, tmp_path / "it.onnx")
    assert written.inputs == ("input_1", "input_2") and written.outputs == ("output_1", "output_2")


def test_the_file_says_its_opset_and_dimensions_and_nothing_of_this_machine(tmp_path: Path) -> None:
    import onnx

    write_onnx(Pair(), Inputs.of((torch.rand(2, 3, 8, 8), torch.rand(2, 4, 1, 1))), tmp_path / "it.onnx")
    model = onnx.load(tmp_path / "it.onnx")
    assert [(one.domain, one.version) for one in model.opset_import if one.domain == ""] == [("", OPSET)]
    sizes = [[dim.dim_param or dim.dim_value for dim in one.type.tensor_type.shape.dim] for one in model.graph.input]
    assert sizes == [["batch", 3, 8, 8], ["batch", 4, 1, 1]]
    content = (tmp_path / "it.onnx").read_bytes()
    assert b"test_write" not in content and b"site-packages" not in content


def test_a_size_that_is_fixed_in_the_code_is_said(tmp_path: Path) -> None:
    inputs = Inputs.of(torch.rand(3, 4))
    with pytest.raises(InputError, match="for a batch of any size"):
        write_onnx(OneSize(), inputs, tmp_path / "it.onnx")
    written = write_onnx(OneSize(), inputs, tmp_path / "it.onnx", batch=3)
    assert written.batch == 3 and run(written, inputs)[0].shape == (3, 4)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Branches(), r"at test_write\.py:\d+ \(`if y\.sum\(\) > 0:`\): what it does there depends on the values"),
        (Decomposes(), r"no operation for linalg_eigvalsh|\(_linalg_eigh in inner\.part, test_write\.py:\d+\)"),
    ],
    ids=["a branch", "no such operation"],
)
def test_what_cannot_be_written_is_named_with_its_line(
    model: nn.Module, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=said) as raised:
        write_onnx(model, Inputs.of(torch.rand(2, 4)), tmp_path / "it.onnx")
    assert "\n" not in str(raised.value) and list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", ""), "nothing is printed"


def test_writing_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_onnx(Pair(), Inputs.of((torch.rand(2, 3, 8, 8), torch.rand(2, 4, 1, 1))), tmp_path / "it.onnx")
    assert capfd.readouterr() == ("", "")


def test_half_precision_becomes_float32(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)).half()
    written = write_onnx(model, Inputs.of(torch.rand(2, 1, 4, 4)), tmp_path / "it.onnx")
    assert run(written, Inputs.of(torch.rand(4, 1, 4, 4)))[0].dtype == torch.float32
    assert model[0].weight.dtype == torch.float16, "it is left as it was"


def test_too_many_weights_are_refused_before_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "LARGEST", 100)
    with pytest.raises(InputError, match="an ONNX file holds 100 B"):
        write_onnx(Pair(), Inputs.of((torch.rand(2, 3, 8, 8), torch.rand(2, 4, 1, 1))), tmp_path / "it.onnx")


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        write_onnx(Pair(), Inputs.of((torch.rand(2, 3, 8, 8), torch.rand(2, 4, 1, 1))), tmp_path / "no" / "it.onnx")


class Returns(nn.Module):
    """Gives what a function makes of it."""

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.layer, self.function = nn.Linear(4, 4), function

    def forward(self, x: Tensor) -> object:
        return self.function(self.layer(x))


@pytest.mark.parametrize(
    ("function", "said"),
    [(lambda y: 3, "gives no tensor"), (torch.fft.fft, "complex numbers, which ONNX lacks")],
    ids=["nothing", "complex numbers"],
)
def test_results_that_no_file_can_give_are_refused(
    function: Callable[[Tensor], object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        write_onnx(Returns(function), Inputs.of(torch.rand(2, 4)), tmp_path / "it.onnx")


def test_results_may_repeat_and_be_the_input(tmp_path: Path) -> None:
    check_agrees(Returns(lambda y: [y, {"again": y}]), torch.rand(2, 4), tmp_path / "it.onnx")
