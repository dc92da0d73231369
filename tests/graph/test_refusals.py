"""What cannot be worked on is refused in one sentence: what, where, and what to do. Nothing is printed beside it."""

import linecache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pruning import remove_channels
from pruning.errors import InputError
from pruning.graph.build import build_graph

HERE = Path(__file__).name
IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def refusal(model: object, inputs: object = IMAGES) -> str:
    with pytest.raises(InputError) as caught:
        remove_channels(model, inputs, sparsity=0.5)
    text = str(caught.value)
    assert "\n" not in text and text.endswith("."), text
    return text


def line_with(code: str) -> str:
    """'file:line' of the first line of this file that ends in a comment with these words."""
    lines = linecache.getlines(__file__)
    return f"{HERE}:{next(i for i, line in enumerate(lines, 1) if line.rstrip().endswith(f'# {code}'))}"


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.head = nn.Linear(8, 4)

    def tail(self, x: Tensor) -> Tensor:
        return self.head(x.mean((2, 3)))

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.conv(x))


class Branch(Net):
    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if x.sum() > 0:  # a branch on values
            x = -x
        return self.tail(x)


class Asserts(Net):
    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        assert bool(x.isfinite().all())  # an assertion on values
        return self.tail(x)


class CountsValues(Net):
    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if x[x > 0].numel() > 3:  # a branch on how many
            x = x + 1
        return self.tail(x)


class Deep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 3, 1)
        self.inner = Branch()

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(self.stem(x))


class LeavesTorch(Net):
    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.tail(x) * float(x.detach().numpy().sum())  # over to numpy


class ThroughNumpy(Net):
    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.tail(x) * int(np.argmax(x.detach()))  # within numpy


class Result:
    def __init__(self, scores: Tensor) -> None:
        self.scores = scores


class OwnResult(Net):
    def forward(self, x: Tensor) -> Result:
        return Result(super().forward(x))


class Returns(Net):
    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result

    def forward(self, x: Tensor) -> object:
        super().forward(x)
        return self.result


@pytest.mark.parametrize(
    ("model", "comment"),
    [
        (Branch(), "a branch on values"),
        (Deep(), "a branch on values"),
        (Asserts(), "an assertion on values"),
        (CountsValues(), "a branch on how many"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_control_flow_on_data_is_named_with_its_line(model, comment, capfd):
    text = refusal(model)
    assert "depends on the values of its data" in text and f"at {line_with(comment)} (`" in text
    assert capfd.readouterr() == ("", "")  # torch would print the graph and its advice


@pytest.mark.parametrize(("model", "comment"), [(LeavesTorch(), "over to numpy"), (ThroughNumpy(), "within numpy")])
def test_a_way_through_numpy_is_named_with_its_line(model, comment):
    text = refusal(model)
    assert "leaves torch" in text and f"at {line_with(comment)} (`" in text


@pytest.mark.parametrize("result", [None, 3, "done", (1, {"a": 2})], ids=str)
def test_outputs_without_a_tensor(result):
    assert "returns no tensor" in refusal(Returns(result))


def test_outputs_of_a_class_of_ones_own():
    assert "returns a Result" in refusal(OwnResult())


def test_scripted_and_traced_models():
    for model in (torch.jit.script(Net()), torch.jit.trace(Net(), IMAGES), torch.jit.script(torch.nn.functional.relu)):
        assert "torch.jit" in refusal(model)
    model = Net()
    model.conv = torch.jit.script(nn.Conv2d(3, 8, 3, padding=1))
    assert "Part 'conv' of this model is scripted" in refusal(model)


def test_compiled_models():
    assert "pass model._orig_mod" in refusal(torch.compile(Net()))
    model = Net()
    model.conv = torch.compile(model.conv)
    assert "Part 'conv' of this model is compiled" in refusal(model)
    removal = remove_channels(torch.compile(Net())._orig_mod, IMAGES, sparsity=0.5)
    assert removal.model.conv.out_channels == 4
    model = Net()
    model.compile()  # in place: the module itself stays, so does its code
    assert remove_channels(model, IMAGES, sparsity=0.5).model.conv.out_channels == 4


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Net, "class Net"),
        (lambda x: x, "not from a function"),
        (Net().state_dict(), "load it into its network"),
        (None, "not from a NoneType"),
        ("resnet18", "not from a str"),
        (nn.ReLU(), "no parameters"),
        (nn.DataParallel(Net()), "pass model.module"),
        (
            nn.Sequential(nn.DataParallel(nn.Conv2d(3, 4, 1)), nn.ReLU()),
            "Part '0' of this model is wrapped in DataParallel",
        ),
        (Net().to("meta"), "conv.weight has no values"),
        (nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU()), "0.weight has no size yet"),
        (nn.ModuleList([nn.Linear(3, 3)]), "own forward fails"),
    ],
)
def test_what_is_no_plain_network(model, words):
    assert words in refusal(model)


def test_exported_programs():
    assert "exported program" in refusal(torch.export.export(Net(), (IMAGES,)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_quantized_models():
    model = torch.ao.quantization.quantize_dynamic(Net(), {nn.Linear}, dtype=torch.qint8)
    assert "Part 'head' of this model is quantized" in refusal(model)


def test_sparse_weights():
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2))
    model[0].weight = nn.Parameter(model[0].weight.detach().to_sparse())
    assert "0.weight is a sparse tensor" in refusal(model, torch.randn(2, 8))


class Fixed(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.conv(x.reshape(2, 3, 8, 8)))  # only these images


@pytest.mark.parametrize(
    ("model", "inputs", "words"),
    [
        (Fixed(), torch.randn(2, 3, 9, 9), f"at {line_with('only these images')} (`"),
        (Fixed(), torch.randn(2, 3, 9, 9), "RuntimeError: shape '[2, 3, 8, 8]' is invalid"),
        (Net(), torch.randn(2, 4, 8, 8), "expected input"),
        (Net(), (IMAGES, IMAGES), "TypeError"),
        (Net(), {"images": IMAGES}, "unexpected keyword argument 'images'"),
        (nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 2)), torch.randn(2, 9), "fails on these example inputs: Runtime"),
    ],
)
def test_a_forward_that_fails_on_the_inputs(model, inputs, words):
    text = refusal(model, inputs)
    assert "own forward fails on these example inputs" in text and words in text and "Give inputs" in text


@pytest.mark.parametrize(
    "inputs", [None, (), {}, "images", torch.zeros(0, 3, 8, 8), torch.tensor(1.0), [None]], ids=repr
)
def test_inputs_without_a_batch(inputs):
    assert "tensor with a batch dimension" in refusal(Net(), inputs)


def test_inputs_elsewhere():
    assert "example inputs are on meta" in refusal(Net(), IMAGES.to("meta"))


class HardCoded(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).mean((2, 3)).view(-1, 8))


def test_a_time_bound_is_kept_between_trials():
    assert build_graph(HardCoded(), IMAGES).groups == ()
    with pytest.raises(InputError, match=r"takes more than 0 s \(stopped after 0 trials"):
        build_graph(HardCoded(), IMAGES, limit_seconds=0)
    assert build_graph(Net(), IMAGES, limit_seconds=0).groups  # nothing to try: nothing to stop


def test_the_clock_is_filled():
    clock: dict[str, float] = {}
    build_graph(Net(), IMAGES, clock=clock)
    assert set(clock) == {"trace", "group"} and min(clock.values()) > 0


def test_a_refusal_leaves_the_model_as_it_was():
    model = Branch().train()
    model.head.eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    refusal(model)
    assert model.training and model.conv.training and not model.head.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
