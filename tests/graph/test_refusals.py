"""What cannot be worked on is refused in one sentence: what, where, and what to do. Nothing is printed beside it."""

import importlib
import linecache
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pruning import remove_channels
from pruning.base.errors import InputError
from pruning.graph import memory
from pruning.graph.inputs import Inputs
from pruning.removal.build import build_graph

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


class OwnInput(Net):
    def forward(self, x: Tensor, factors: Result) -> Tensor:
        return super().forward(x) * factors.scores.mean()


class HiddenResult(Net):
    def forward(self, x: Tensor) -> object:
        return iter((super().forward(x),))


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


def test_a_way_through_numpy_in_a_hook_is_called_one() -> None:
    model, seen = Net(), []
    model.conv.register_forward_hook(lambda module, args, output: seen.append(output.detach().numpy().mean()))
    assert "That line is in a hook of conv: take it off" in refusal(model)


class SetUpByData(Net):
    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(1))
        self.register_buffer("ready", torch.tensor(False))

    def forward(self, x: Tensor) -> Tensor:
        if not self.ready:
            self.shift.data.copy_(-x.mean())
            self.ready.fill_(True)
        return super().forward(x + self.shift)


def test_parameters_that_a_first_call_sets_are_named() -> None:
    model = SetUpByData()
    assert "forward writes to its parameter shift" in refusal(model)
    model(torch.randn(2, 3, 8, 8))
    assert build_graph(model, torch.randn(2, 3, 8, 8)).groups


class Counts(Net):
    def forward(self, x: Tensor, samples: Tensor) -> Tensor:
        return super().forward(x) / torch.bincount(samples)[:, None]


def test_a_count_of_unknown_length_is_given_another_way() -> None:
    with pytest.raises(InputError, match="index_add into zeros of a length that is known"):
        build_graph(Counts(), (torch.randn(2, 3, 8, 8), torch.tensor([0, 1])))


@pytest.mark.parametrize("result", [None, 3, "done", (1, {"a": 2})], ids=str)
def test_outputs_without_a_tensor(result):
    assert "returns no tensor" in refusal(Returns(result))


def test_outputs_whose_tensors_cannot_be_seen():
    assert "returns no tensor that can be seen" in refusal(HiddenResult())


def test_inputs_of_a_class_of_ones_own():
    assert "which tensors the example inputs hold" in refusal(OwnInput(), (IMAGES, Result(IMAGES)))


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
        (nn.ModuleList([nn.Linear(3, 3)]), "This ModuleList has no forward"),
        (object.__new__(Net), "without super().__init__()"),
    ],
)
def test_what_is_no_plain_network(model, words):
    assert words in refusal(model)


def test_exported_programs():
    program = torch.export.export(Net(), (IMAGES,))
    assert "exported program" in refusal(program)
    assert "made by torch.export" in refusal(program.module())


def test_weights_made_under_inference_mode():
    with torch.inference_mode():
        model = Net()
    assert "conv.weight was made under torch.inference_mode" in refusal(model)


def test_damaged_networks():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))
    model[1].running_var[2] = torch.nan
    assert "1.running_var holds NaN" in refusal(model)


class MakesBuffer(Net):
    def forward(self, x: Tensor) -> Tensor:
        if not hasattr(self, "scale"):
            self.register_buffer("scale", torch.ones(1))
        return super().forward(x) * self.scale


def test_tensors_that_the_first_call_makes():
    model = MakesBuffer()
    assert "forward makes scale when it first runs" in refusal(model)
    model(IMAGES)
    assert remove_channels(model, IMAGES, sparsity=0.5).model.conv.out_channels == 4


def test_code_that_holds_on_to_the_original():
    model = Net()
    original = model.forward
    model.forward = lambda x: original(x) * 2
    assert "still uses the original's conv.weight" in refusal(model)


class ReturnsItself(Net):
    def __deepcopy__(self, memo: dict[int, object]) -> "ReturnsItself":
        return self


class Refuses(Net):
    def __deepcopy__(self, memo: dict[int, object]) -> "Refuses":
        raise RuntimeError("never\ncopy this")


def test_what_cannot_be_copied():
    model = Net()
    model.lock = threading.Lock()
    assert "cannot be copied" in refusal(model) and "locks" in refusal(model)
    assert "RuntimeError: never)" in refusal(Refuses())
    model = ReturnsItself()
    assert "still holds the original's self" in refusal(model) and model.conv.out_channels == 8


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_quantized_models():
    model = torch.ao.quantization.quantize_dynamic(Net(), {nn.Linear}, dtype=torch.qint8)
    assert "Part 'head' of this model is quantized" in refusal(model)
    model = Net()
    model.qconfig = torch.ao.quantization.get_default_qconfig("fbgemm")
    assert "prepared for it (HistogramObserver)" in refusal(torch.ao.quantization.prepare(model))


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


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (torch.randn(2, 3, 8, 8).to_sparse(), "sparse or packed"),
        (torch.nested.nested_tensor([torch.randn(3, 8), torch.randn(3, 9)]), "nested"),
        (IMAGES.to(torch.cfloat), "complex"),
        (IMAGES / 0 * 0, "NaN"),
        ((3, -8, 8), "at least 1, not (3, -8, 8)"),
        ((3, 10**6, 10**6), "do not fit into memory"),
    ],
    ids=["sparse", "nested", "complex", "NaN", "negative sizes", "huge sizes"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_inputs_that_are_no_plain_numbers(inputs, words):
    assert words in refusal(Net(), inputs)


def test_masks_may_be_infinite():
    mask = torch.tensor([[0.0, 0.0, -torch.inf, 0.0]]).expand(2, 4)
    drawn = Inputs.of((IMAGES, mask)).random(3, torch.float64, seed=0).tensors[1]
    assert drawn.shape == (3, 4) and drawn.isinf().equal(mask.isinf()[:1].expand(3, 4)) and not drawn.isnan().any()


class Positive(Net):
    def forward(self, x: Tensor) -> Tensor:
        x = self.tail(self.conv(x))
        return x[x > 0]  # as many as are positive


def test_results_whose_size_depends_on_values():
    text = refusal(Positive())
    assert "size of a result depends on the values" in text and line_with("as many as are positive") in text


class Mapped(Net):
    def forward(self, x: Tensor) -> Tensor:
        return torch.vmap(lambda image: Net.forward(self, image[None])[0])(x)


def test_transforms_of_functions():
    assert "torch.vmap" in refusal(Mapped())


class Detector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = Net()

    def forward(self, x: Tensor) -> Tensor:
        scores = self.backbone(x)
        return scores if bool((scores > 0).any()) else -scores


def test_a_part_to_try_is_named():
    assert refusal(Detector()).endswith("from a part without it, such as model.backbone.")
    assert remove_channels(Detector().backbone, IMAGES, sparsity=0.5).model.conv.out_channels == 4


class Endless(Net):
    def forward(self, x: Tensor) -> Tensor:
        while True:
            x = x + 1


def test_a_time_bound_is_kept_while_tracing():
    with pytest.raises(InputError, match=r"time limit of 0\.2 s \(stopped while tracing it, at its call [\d,]+\)"):
        remove_channels(Endless(), IMAGES, sparsity=0.5, time_limit=0.2)


class SecondHardCoded(Net):
    def __init__(self) -> None:
        super().__init__()
        self.second = nn.Conv2d(8, 8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.conv(x)).mean((2, 3)).view(-1, 8))


@pytest.mark.parametrize(
    ("place", "doing"),
    [
        ("pruning.removal.trial", "trying what can be removed from it"),
        ("pruning.removal.compare", "proving the removal for 2 samples"),
    ],
)
def test_a_time_bound_is_kept_between_trials_and_in_the_proof(place, doing, monkeypatch):
    """A clock that jumps as soon as the place asks for the time."""
    module = importlib.import_module(place)
    asked = module.check_time

    def late(doing):
        monkeypatch.setattr(time, "perf_counter", lambda: 1e9)
        asked(doing)

    monkeypatch.setattr(module, "check_time", late)
    model = SecondHardCoded()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(InputError, match=rf"stopped while {doing}, after .* s, since a single call cannot be inter"):
        remove_channels(model, IMAGES, sparsity=0.5)
    monkeypatch.undo()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert remove_channels(model, IMAGES, sparsity=0.5).check.status == "exact"


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "5"])
def test_a_time_limit_is_a_number_of_seconds(seconds):
    with pytest.raises(InputError, match="time_limit must be a positive number of seconds"):
        remove_channels(Net(), IMAGES, sparsity=0.5, time_limit=seconds)


def test_a_memory_bound_is_kept(monkeypatch):
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 36, 8))
    assert remove_channels(model, IMAGES, sparsity=0.5).model[0].out_channels == 4
    monkeypatch.setattr(memory, "free_bytes", lambda: 15_000)  # labels: 3 · 8 bytes · 2 · 8 · 36 numbers = 13,824
    assert remove_channels(model, IMAGES, sparsity=0.5, check=False).model[0].out_channels == 4
    assert "The proof of a removal (check=False leaves it out) needs about" in refusal(model)
    monkeypatch.setattr(memory, "free_bytes", lambda: 13_000)
    assert "Finding what can be removed from this network needs about" in refusal(model)
    monkeypatch.setattr(memory, "free_bytes", lambda: 3_000)  # two copies of 2 · 3 · 8 · 8 numbers of 4 bytes = 3,072
    assert "A copy of the example inputs needs about" in refusal(model)


def test_the_memory_of_a_proof_is_about_right():
    graph = build_graph(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 36, 8)), IMAGES)
    weights, images, features = 8 * 27 + 8 + 8 * 288 + 8, 2 * 3 * 64, 2 * 8 * 36
    live = weights + images + features + 27 * 2 * 36  # during the convolution, with its patches
    assert memory.proof_bytes(graph.trace) == 2 * 8 * (live + 8 * 288)  # and one more of the largest


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
