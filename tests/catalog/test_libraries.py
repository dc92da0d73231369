"""Networks of torchvision and timm with another number of classes, weights of a file, and what is known of them."""

from __future__ import annotations

import importlib
import io
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from pruning.base.errors import InputError
from pruning.catalog import offline
from pruning.catalog.listing import classifiers, facts, search
from pruning.catalog.names import LISTS, library_names
from pruning.catalog.openers import check_reference, open_bare, open_network, parse_reference
from pruning.cli.inspect import inspect

SMALL = "torchvision:squeezenet1_1"


def weights_of(name: str, **options: object) -> dict[str, Tensor]:
    torch.manual_seed(3)
    made: dict[str, Tensor] = importlib.import_module("torchvision.models").get_model(name, **options).state_dict()
    return made


@pytest.mark.parametrize("library", LISTS)
def test_names_read_from_the_source_are_those_of_the_library(library: str) -> None:
    pytest.importorskip(library)
    module, _, call = LISTS[library].partition(".list_models")
    assert call == "()" and library_names(library) == set(importlib.import_module(module).list_models())


def test_names_of_a_library_that_is_not_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    assert library_names("timm") == frozenset() and library_names("no_such_library") == frozenset()


@pytest.mark.parametrize(
    "ref",
    ["torchvision:resnet5", "timm:resnet5", f"{SMALL}?weights=nowhere.pt", "file:nowhere.py:build", "resnet50",
     f"{SMALL}?classes=0", "file:nowhere.py:build?weights=default"],
)  # fmt: skip
def test_a_refusal_needs_no_torch(ref: str) -> None:
    code = (
        "import sys\nfrom pruning.base.errors import InputError\nfrom pruning.catalog.openers import check_reference\n"
        "try:\n    check_reference(sys.argv[1])\nexcept InputError as error:\n    print(error)\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code, ref], capture_output=True, text=True, check=True)
    assert done.stdout.strip()


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        (f"{SMALL}?classes=0", "whole number of classes from 1 to"),
        (f"{SMALL}?classes=ten", "whole number of classes"),
        (f"{SMALL}?classes=99999999999999999999", "whole number of classes"),
        (f"{SMALL}?key=ema", "name the file with weights=FILE"),
        (f"{SMALL}?klasses=3", "Did you mean 'classes'"),
    ],
)
def test_options_are_checked(ref: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_reference(ref)


def test_options_are_spelled_as_they_were_given() -> None:
    text = "torchvision:resnet18?weights=a.pt&size=64&classes=10&key=ema"
    reference = parse_reference(text)
    assert (reference.classes, reference.key, reference.bare.classes, reference.bare.key) == (10, "ema", 10, None)
    assert reference.spelled(name="resnet18", weights="a.pt", classes=10) == text


def test_a_network_is_built_for_as_many_classes_as_are_asked_for() -> None:
    network = open_network(f"{SMALL}?classes=7&size=64")
    assert network.model(torch.zeros(1, 3, 64, 64)).shape == (1, 7) and network.untrained and network.classes == ()


def test_the_number_of_classes_is_read_from_the_weights(tmp_path: Path) -> None:
    save_file(weights_of("squeezenet1_1", num_classes=12), tmp_path / "w.safetensors")
    ref = f"{SMALL}?weights={tmp_path / 'w.safetensors'}&size=64"
    network = open_network(ref)
    assert network.model(torch.zeros(1, 3, 64, 64)).shape == (1, 12) and not network.untrained
    assert network.weights == f"from {tmp_path / 'w.safetensors'}; 12 classes, as its last layer has"
    assert network.classes == () and parse_reference(network.ref).classes == 12
    (tmp_path / "w.safetensors").unlink()
    assert open_bare(network.ref).model.num_classes == 12  # what a run does when its weights are gone


def test_weights_for_other_classes_than_asked_for_are_refused(tmp_path: Path) -> None:
    torch.save(weights_of("squeezenet1_1", num_classes=12), tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"are for 12 classes \(classifier.1.weight, classifier.1.bias\), not 5"):
        open_network(f"{SMALL}?weights={tmp_path / 'w.pt'}&classes=5")
    assert open_network(f"{SMALL}?weights={tmp_path / 'w.pt'}&classes=12").weights == f"from {tmp_path / 'w.pt'}"


def test_auxiliary_heads_have_as_many_classes(tmp_path: Path) -> None:
    torch.save({"model": weights_of("googlenet", num_classes=6, init_weights=False)}, tmp_path / "w.pt")
    assert open_network(f"torchvision:googlenet?weights={tmp_path / 'w.pt'}").model.fc.out_features == 6


def test_names_of_classes_come_from_the_file_and_else_from_the_library(tmp_path: Path) -> None:
    torch.save({"model": weights_of("squeezenet1_1"), "epoch": 1}, tmp_path / "w.pt")
    network = open_network(f"{SMALL}?weights={tmp_path / 'w.pt'}")
    assert len(network.classes) == 1000 and network.classes[0] == ("n01440764", "tench")
    names = {f"kind {i}": i for i in range(4)}
    torch.save(
        {"model": weights_of("squeezenet1_1", num_classes=4), "args": {"class_to_idx": names}}, tmp_path / "w.pt"
    )
    assert open_network(f"{SMALL}?weights={tmp_path / 'w.pt'}").classes[3] == ("kind 3",)


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        (
            SMALL,
            "shorter side to 256 (bilinear), middle 224×224, RGB, mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225",
        ),
        (f"{SMALL}?size=112", "shorter side to 128 (bilinear), middle 112×112, "),
        ("torchvision:mobilenet_v3_small?classes=3", "shorter side to 256 (bilinear), middle 224×224, "),
    ],
)
def test_preprocessing_is_the_librarys_whatever_the_weights(ref: str, words: str) -> None:
    preprocess = open_network(ref).preprocess
    assert preprocess is not None and preprocess.words.startswith(words)


def test_timms_preprocessing_and_classes() -> None:
    pytest.importorskip("timm")
    network = open_network("timm:test_vit?size=64")
    assert network.preprocess is not None and network.preprocess.size == (64, 64) and network.preprocess.resize == 67
    assert network.preprocess.mean == (0.5, 0.5, 0.5) and network.classes[999][0] == "n15075141"
    assert open_network("timm:test_resnet?classes=3").classes == ()


def test_names_of_the_code_that_a_network_was_published_with_are_converted_by_timm(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    state = open_network("timm:convnext_atto?classes=3").model.state_dict()
    published = {}
    for name, tensor in state.items():
        name = name.replace("head.norm.", "norm.").replace("head.fc.", "head.").replace("stem.", "downsample_layers.0.")
        name = name.replace("conv_dw", "dwconv").replace("mlp.fc", "pwconv").replace(".blocks", "")
        published[re.sub(r"stages\.(\d)\.downsample", r"downsample_layers.\1", name)] = tensor
    assert not published.keys() & {"head.fc.weight", "head.norm.weight"}
    torch.save({"model": published, "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}}}, tmp_path / "w.pth")
    network = open_network(f"timm:convnext_atto?weights={tmp_path / 'w.pth'}")
    assert network.weights == f"from {tmp_path / 'w.pth'}; 3 classes, as its last layer has"
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.model.state_dict().items())
    torch.save({"model": {"a.b": torch.ones(3)}}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="of another network"):
        open_network(f"timm:convnext_atto?weights={tmp_path / 'w.pth'}")


def test_default_weights_with_other_classes_have_a_random_last_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = {name: torch.ones_like(tensor) for name, tensor in weights_of("squeezenet1_1").items()}
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *_, **__: trained)
    network = open_network(f"{SMALL}?weights=default&classes=5&size=64")
    assert network.untrained and network.weights == (
        "torchvision's default, IMAGENET1K_V1, but for the last layer (classifier.1.weight, classifier.1.bias), which "
        "is random, seed 0"
    )
    state = network.model.state_dict()
    assert state.pop("classifier.1.weight").std() > 0 and state.pop("classifier.1.bias") is not None
    assert all(bool((tensor == 1).all()) for tensor in state.values())
    same = open_network(f"{SMALL}?weights=default&classes=1000&size=64")
    assert not same.untrained and same.classes[0][1] == "tench"


def test_a_hub_that_cannot_be_reached_is_given_up_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "PATIENCE", 0.5)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: time.sleep(2) or io.BytesIO())
    started = time.monotonic()
    with pytest.raises(InputError, match="it does not answer"):
        offline.check_connection("https://example.invalid")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "ref",
    [
        "torchvision:squeezenet1_1",
        "torchvision:mobilenet_v3_small",
        "torchvision:mnasnet0_5",
        "torchvision:resnet18?classes=10&size=64",
        "timm:test_resnet",
        "timm:test_vit",
        "timm:test_efficientnet",
        "timm:test_convnext",
        pytest.param("torchvision:shufflenet_v2_x0_5", marks=pytest.mark.slow),
        pytest.param("torchvision:regnet_y_400mf", marks=pytest.mark.slow),
        pytest.param("torchvision:vit_b_32?size=64", marks=pytest.mark.slow),
        pytest.param("torchvision:swin_t", marks=pytest.mark.slow),
        pytest.param("timm:mobilenetv3_small_100", marks=pytest.mark.slow),
        pytest.param("timm:vit_tiny_patch16_224", marks=pytest.mark.slow),
    ],
)
def test_facts_are_what_inspect_counts(ref: str) -> None:
    if ref.startswith("timm"):
        pytest.importorskip("timm")
    found, counted = facts(ref), inspect(ref)[0]
    assert found.parameters == counted["params"] and list(found.input_shape) == counted["input_shape"]
    assert found.macs == counted["macs"] and found.classes == (10 if "classes=10" in ref else 1000)


def test_facts_of_a_huge_network_take_no_memory_and_are_of_libraries_alone() -> None:
    started = time.process_time()
    assert facts("torchvision:regnet_y_128gf").parameters == 644_812_894
    assert time.process_time() - started < 10  # to draw so many numbers takes a minute
    with pytest.raises(InputError, match="no network of a library"):
        facts("sample:lenet5")


def test_a_search_finds_names_by_their_parts() -> None:
    assert search("resnet50")[0] == "torchvision:resnet50" and search("resnet50", 1, ["timm"]) in (
        [], ["timm:resnet50"]
    )  # fmt: skip
    assert search("v3 small", libraries=["torchvision"]) == ["torchvision:mobilenet_v3_small"]
    assert search("resnet505", libraries=["torchvision"])[0].startswith("torchvision:resnet")
    assert search("", most=3, libraries=["torchvision"]) == list(classifiers("torchvision")[:3])
    assert not any("fasterrcnn" in one or "raft" in one or "quantized" in one for one in classifiers("torchvision"))
    assert search("no such thing at all") == []
