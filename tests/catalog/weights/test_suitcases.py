"""A checkpoint is a training script's suitcase: whatever surrounds the weights, the network gets its own."""

from __future__ import annotations

import argparse
import collections
import copy
import pathlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pruning.base.errors import InputError
from pruning.catalog.weights.loading import load_state_file

State = dict[str, Tensor]


class Net(nn.Module):
    """A backbone with batch norm, and a head with a name of its own."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6))
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(6, 6, 3), nn.BatchNorm2d(6)) for _ in range(2))
        self.fc = nn.Linear(6, classes)
        self.register_buffer("relative_position_index", torch.arange(9).reshape(3, 3))


def trained(seed: int = 1) -> Net:
    torch.manual_seed(seed)
    net = Net()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            module.num_batches_tracked.fill_(7)
    return net


STATE = trained().state_dict()
OTHER = trained(2).state_dict()


def under(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def optimizer() -> dict[str, Any]:
    net = trained()
    made = torch.optim.AdamW(net.parameters())
    net.fc(torch.ones(1, 6)).sum().backward()
    made.step()
    return made.state_dict()


def split(state: State) -> State:
    """As toolboxes with a backbone and a head name them."""
    return {("head." if name.startswith("fc") else "backbone.") + name: tensor for name, tensor in state.items()}


class Settings:
    """Of a training script: a class that nobody else has."""

    def __init__(self) -> None:
        self.lr, self.names = 0.1, ["a"]


class Config(dict[str, Any]):
    """Settings that are a mapping."""


SUITCASES: dict[str, Callable[[], Any]] = {
    "bare": lambda: STATE,
    "ordered": lambda: collections.OrderedDict(STATE),
    "state_dict": lambda: {"state_dict": STATE, "epoch": 3},
    "model": lambda: {
        "model": STATE,
        "optimizer": optimizer(),
        "args": argparse.Namespace(lr=0.1, data=pathlib.Path("x")),
    },
    "model_state_dict": lambda: {
        "model_state_dict": STATE,
        "optimizer_state_dict": optimizer(),
        "loss": torch.tensor(0.3),
    },
    "two wrappers": lambda: {"checkpoint": {"net": STATE}, "best_acc": np.float64(0.9)},
    "data parallel": lambda: under("module.", STATE),
    "compiled": lambda: {"state_dict": under("_orig_mod.", STATE)},
    "compiled, in parallel": lambda: {"state_dict": under("module._orig_mod.", STATE)},
    "compiled within": lambda: {
        f"{n.partition('.')[0]}._orig_mod.{n.partition('.')[2]}" if "." in n else n: t for n, t in STATE.items()
    },
    "lightning": lambda: {
        "state_dict": {**under("model.", STATE), "criterion.weight": torch.ones(4)},
        "pytorch-lightning_version": "2.0",
        "hyper_parameters": {"lr": 0.1},
    },
    "a name nobody knows": lambda: {"weights_of_run_7": under("my_wrapper.", STATE)},
    "backbone and head": lambda: {"state_dict": split(STATE), "meta": {"epoch": 1}},
    "backbone and head, in parallel": lambda: {"model": under("module.", split(STATE))},
    "averaged alone": lambda: {**under("module.", STATE), "n_averaged": torch.tensor(12)},
    "counters": lambda: {**STATE, "total_ops": torch.zeros(1), "fc.total_params": torch.zeros(1)},
    "nested by module": lambda: {
        "stem": {n[5:]: t for n, t in STATE.items() if n.startswith("stem.")},
        **{n: t for n, t in STATE.items() if not n.startswith("stem.")},
    },
    "in a list": lambda: [STATE, {"epoch": 3}],
    "other dots": lambda: {n.replace("blocks.0", "blocks0"): t for n, t in STATE.items()},
    "half": lambda: {n: t.half() if t.is_floating_point() else t for n, t in STATE.items()},
    "bfloat16": lambda: {n: t.bfloat16() if t.is_floating_point() else t for n, t in STATE.items()},
    "float64": lambda: {n: t.double() if t.is_floating_point() else t for n, t in STATE.items()},
    "parameters": lambda: {n: nn.Parameter(t) if t.is_floating_point() else t for n, t in STATE.items()},
    "settings of a class": lambda: {"state_dict": STATE, "config": Settings()},
    "settings that are a mapping": lambda: {"state_dict": STATE, "cfg": Config(lr=1)},
    "defaultdict": lambda: {"state_dict": STATE, "log": collections.defaultdict(list, {"a": [1]})},
    "numpy values": lambda: {
        "model": STATE,
        "best": np.float32(1.5),
        "history": np.arange(3),
        "rng": np.random.get_state(),
    },
    "a loss": lambda: {"model": STATE, "criterion": nn.CrossEntropyLoss(weight=torch.ones(4))},
    "torch's random state": lambda: {"model": STATE, "rng": torch.get_rng_state(), "scaler": {"scale": 65536.0}},
    "no counters": lambda: {n: t for n, t in STATE.items() if "num_batches" not in n},
    "no computed buffer": lambda: {n: t for n, t in STATE.items() if "relative" not in n},
    "another computed buffer": lambda: {**STATE, "relative_position_index": torch.arange(25).reshape(5, 5)},
    "leftovers of quantisation": lambda: {
        **STATE,
        "fc.activation_post_process.scale": torch.ones(1),
        "fc.fake_quant_enabled": torch.ones(1),
    },
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", SUITCASES)
def test_the_network_gets_its_own(name: str, legacy: bool, tmp_path: Path) -> None:
    if legacy and name == "a loss":
        pytest.skip("the first format keeps the source of layers, and torch reads no weights beside that")
    path = tmp_path / "w.ckpt"
    torch.save(SUITCASES[name](), path, _use_new_zipfile_serialization=not legacy)
    net = Net()
    load_state_file(net, path)
    exact = 0 if name not in ("half", "bfloat16") else 1e-2
    for key, tensor in net.state_dict().items():
        if "num_batches" not in key:
            assert torch.allclose(tensor.float(), STATE[key].float(), atol=exact, rtol=exact), key


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bare", ""),
        ("half", "half precision (float16)"),
        ("bfloat16", "bfloat16"),
        ("float64", "rounded from float64"),
        ("no computed buffer", "relative_position_index as the network computes"),
        ("lightning", "without state_dict.criterion.weight"),
    ],
)
def test_what_was_noticed_is_said(name: str, words: str, tmp_path: Path) -> None:
    torch.save(SUITCASES[name](), tmp_path / "w.pt")
    said = load_state_file(Net(), tmp_path / "w.pt")
    assert words in said and bool(said) == bool(words)


PAIRS: dict[str, tuple[Callable[[], Any], str, str]] = {
    "model and ema": (lambda: {"model": STATE, "ema": OTHER}, "model", "ema"),
    "ema first": (lambda: {"model_ema": {"module": OTHER}, "state_dict": under("module.", STATE)}, "state_dict", "ema"),
    "ema without counters": (
        lambda: {"model": STATE, "ema": {n: t for n, t in OTHER.items() if "num_batches" not in n}},
        "model",
        "ema",
    ),
    "timm": (lambda: {"state_dict": STATE, "state_dict_ema": OTHER}, "state_dict", "state_dict_ema"),
    "teacher": (lambda: {"teacher": under("module.", OTHER), "student": under("module.", STATE)}, "student", "teacher"),
    "flat": (lambda: {**under("teacher.", OTHER), **under("student.", STATE)}, "student", "teacher"),
    "averaged beside": (lambda: {**STATE, **under("ema.", OTHER)}, "", "ema"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_of_several_sets_it_is_said_which_was_taken_and_how_to_take_the_other(name: str, tmp_path: Path) -> None:
    make, first, second = PAIRS[name]
    torch.save(make(), tmp_path / "w.pt")
    net = Net()
    said = load_state_file(net, tmp_path / "w.pt")
    assert torch.equal(net.fc.weight, STATE["fc.weight"]) and torch.equal(net.stem[0].weight, STATE["stem.0.weight"])
    assert "key=" in said and second in said and (f"'{first}" in said or not first)
    load_state_file(net, tmp_path / "w.pt", second)
    assert torch.equal(net.fc.weight, OTHER["fc.weight"]) and torch.equal(net.stem[1].weight, OTHER["stem.1.weight"])
    if first:
        load_state_file(net, tmp_path / "w.pt", first)
        assert torch.equal(net.fc.weight, STATE["fc.weight"])
    with pytest.raises(InputError, match=f"no set of weights 'nobody'.*{second}"):
        load_state_file(net, tmp_path / "w.pt", "nobody")


def test_a_wrapped_network_takes_bare_weights(tmp_path: Path) -> None:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Net()

    save_file(STATE, tmp_path / "w.safetensors")
    torch.save({"state_dict": under("module.net.", STATE)}, tmp_path / "w.pt")
    for name in ("w.safetensors", "w.pt"):
        net = Wrapped()
        load_state_file(net, tmp_path / name)
        assert all(
            torch.equal(net.inner.state_dict()[key], tensor) for key, tensor in STATE.items() if "num_" not in key
        )


def test_a_network_whose_names_all_begin_alike_gets_both_of_its_parts(tmp_path: Path) -> None:
    class Parts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = Net()
            self.fc = nn.Linear(4, 2)

    torch.manual_seed(5)
    first, second = Parts().state_dict(), Parts().state_dict()
    torch.save({"student": under("module.", first), "teacher": second}, tmp_path / "w.pt")
    net = Parts()
    assert "key=teacher" in load_state_file(net, tmp_path / "w.pt")
    assert all(torch.equal(net.state_dict()[name], tensor) for name, tensor in first.items())
    del second["fc.weight"]
    torch.save({"student": first, "teacher": second}, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"no last layer|lacks 1"):
        load_state_file(net, tmp_path / "w.pt", "teacher")


def test_a_student_and_a_larger_teacher_are_told_apart_by_what_fits(tmp_path: Path) -> None:
    large = {name: torch.zeros([2 * size for size in tensor.shape]) for name, tensor in STATE.items()}
    torch.save({"teacher": large, "student": STATE}, tmp_path / "w.pt")
    net = Net()
    assert "teacher" not in load_state_file(net, tmp_path / "w.pt").partition("without")[0]
    assert torch.equal(net.fc.weight, STATE["fc.weight"])


def test_weights_that_are_shared_stay_shared(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    net[1].weight = net[0].weight
    torch.save(copy.deepcopy(net).state_dict(), tmp_path / "w.pt")
    load_state_file(net, tmp_path / "w.pt")
    assert net[1].weight is net[0].weight


BROKEN: dict[str, tuple[Callable[[], Any], str]] = {
    "nan": (lambda: {**STATE, "stem.0.bias": torch.full((6,), float("nan"))}, "stem.0.bias in .*NaN or infinite"),
    "infinite": (
        lambda: {**STATE, "stem.1.running_var": torch.full((6,), float("inf"))},
        "running_var in .*NaN or infin",
    ),
    "too large for float32": (
        lambda: {**STATE, "fc.bias": torch.full((4,), 1e300, dtype=torch.float64)},
        "NaN or infinite",
    ),
    "whole numbers": (lambda: {**STATE, "fc.weight": torch.ones(4, 6, dtype=torch.int8)}, "holds int8"),
    "no head": (lambda: {n: t for n, t in STATE.items() if "fc" not in n}, "no last layer .fc.weight, fc.bias"),
    "a head of another name": (
        lambda: {n.replace("fc", "classifier"): t for n, t in STATE.items()},
        "classifier.weight, classifier.bias may be it by the shape, but nothing says so",
    ),
    "no statistics": (lambda: {n: t for n, t in STATE.items() if "running_mean" not in n}, "lacks 3 of the model's"),
    "another head": (
        lambda: {**STATE, "fc.weight": torch.ones(9, 6), "fc.bias": torch.ones(9)},
        "for 9 classes .*classes=9",
    ),
    "one layer less": (lambda: {n: t for n, t in STATE.items() if "blocks.1" not in n}, "lacks 6 .*blocks.1.0.weight"),
    "another network": (lambda: nn.Linear(3, 3).state_dict(), "another network"),
    "transformers": (
        lambda: under("vit.encoder.layer.0.attention.attention.query.", {"weight": torch.ones(3, 3)}),
        "Hugging Face",
    ),
    "flax": (
        lambda: {"params": {"Conv_0": {"kernel": torch.ones(3), "bias": torch.ones(3)}}},
        "Keras, TensorFlow or Flax",
    ),
    "resnet": (
        lambda: {f"layer{s}.{b}.conv{c}.weight": torch.ones(1) for s in (1, 2, 3, 4) for b in (0, 1) for c in (1, 2)},
        "resnet18",
    ),
    "the network itself": (lambda: trained(), "whole pickled model.*torch.load.*torch.save"),
    "the network itself, wrapped": (lambda: {"model": trained(), "epoch": 1}, "whole pickled model"),
    "nothing": (lambda: {}, "no state dict"),
    "a number": (lambda: 3, "holds an int that is no state dict"),
    "meta": (lambda: {n: t.to("meta") for n, t in STATE.items()}, "without values"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_use_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    make, words = BROKEN[name]
    for zipped in (True, False):
        torch.save(make(), tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
        with pytest.raises(InputError, match=words) as caught:
            load_state_file(Net(), tmp_path / "w.pt")
        said = str(caught.value)
        assert (
            len(said) < 500
            and said.isprintable()
            and "weights_only=True" not in said
            and "add_safe_globals" not in said
        )


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_counters_may_have_been_turned_into_real_numbers_with_all_else(kind: torch.dtype, tmp_path: Path) -> None:
    torch.save({name: tensor.to(kind) for name, tensor in STATE.items()}, tmp_path / "w.pt")
    net = Net()
    load_state_file(net, tmp_path / "w.pt")
    assert torch.equal(net.fc.weight, STATE["fc.weight"].to(kind).float())
    counters = [tensor for name, tensor in net.state_dict().items() if name.endswith("num_batches_tracked")]
    assert counters and all(tensor.dtype == torch.int64 for tensor in counters)


def test_whole_numbers_that_are_others_than_the_networks_are_no_bookkeeping(tmp_path: Path) -> None:
    class Ordered(nn.Linear):
        def __init__(self) -> None:
            super().__init__(3, 2)
            self.register_buffer("order", torch.tensor([2, 0, 1]))

    state = Ordered().state_dict()
    torch.save({name: tensor.half() for name, tensor in state.items()}, tmp_path / "w.pt")
    load_state_file(Ordered(), tmp_path / "w.pt")
    torch.save({**state, "order": torch.tensor([0.0, 1.0, 2.0])}, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"order in .* holds float32, and the network int64"):
        load_state_file(Ordered(), tmp_path / "w.pt")
