"""Modules of a process as bundles: own code, shared and odd parameters, forms that cannot be, constant answers."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

import pruning
from benchmarks.bundle import enliven
from pruning.base.errors import InputError
from pruning.catalog.openers import open_network
from tests.export.bundle.nets import write_odd, write_own


def network(folder: Path, name: str) -> Any:
    """One of the odd networks, as somebody has it in memory."""
    path = write_odd(folder)
    spec = importlib.util.spec_from_file_location(f"odd_{folder.name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    return getattr(module, name)()


def bundle_of(
    folder: Path,
    name: str,
    inputs: Any,
    *,
    sparsity: float = 0.5,
    change: Callable[[Any], None] | None = None,
    **how: Any,
) -> tuple[pruning.Removal, pruning.Bundle]:
    model = network(folder / "code", name)
    if change is not None:
        change(model)
    model.eval()
    removal = pruning.remove_channels(model, inputs, sparsity=sparsity, check=sparsity > 0)
    return removal, pruning.export_bundle(removal, inputs, folder / "out", **how)


def loaded(folder: Path) -> nn.Module:
    """What a bundle's load.py gives, in this process."""
    spec = importlib.util.spec_from_file_location(f"load_{abs(hash(str(folder)))}", folder / "load.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: nn.Module = module.load()
    return found


def statuses(bundle: pruning.Bundle) -> dict[str, str]:
    return {proof.form: proof.status for proof in bundle.proofs} | {each.form: "left out" for each in bundle.left_out}


@pytest.mark.slow
def test_what_is_shared_stays_shared_and_what_is_frozen_stays_frozen(tmp_path: Path) -> None:
    removal, bundle = bundle_of(tmp_path, "Tied", torch.randn(3, 12), formats=["weights"])
    (proof,) = bundle.proofs
    assert proof.status == "agrees" and proof.training["shared"] == 2 and not proof.training["no_longer_shared"]
    assert removal.model.embed.weight.shape == (10, 12)
    model: Any = loaded(bundle.path)
    assert model.embed.weight is model.again.weight
    assert model.back.weight.data_ptr() == model.embed.weight.data_ptr() and not model.out.bias.requires_grad
    x = torch.randn(4, 12)
    torch.testing.assert_close(model(x), removal.model(x))
    names = json.loads((bundle.path / "config.json").read_text())["tensors"]
    assert "embed.weight" in names and "again.weight" not in names and "back.weight" not in names


@pytest.mark.slow
def test_parametrized_weights_and_lazy_layers(tmp_path: Path) -> None:
    def wake(model: Any) -> None:
        model(torch.randn(2, 3, 12, 12))

    removal, bundle = bundle_of(tmp_path, "Normed", torch.randn(2, 3, 12, 12), change=wake, formats=["weights"])
    assert statuses(bundle) == {"weights": "agrees"}
    model, x = loaded(bundle.path), torch.randn(4, 3, 12, 12)
    torch.testing.assert_close(model(x), removal.model(x), rtol=1e-4, atol=1e-5)
    assert sum(p.numel() for p in model.parameters()) == sum(p.numel() for p in removal.model.parameters())


@pytest.mark.slow
def test_answers_that_do_not_depend_on_the_input_prove_nothing(tmp_path: Path) -> None:
    _, bundle = bundle_of(tmp_path, "Constant", torch.randn(2, 8), sparsity=0.0, formats=["weights"])
    (proof,) = bundle.proofs
    assert proof.status == "vacuous" and proof.reason == "the network's own answers are the same whatever the input"
    assert "proves nothing" in (bundle.path / "README.md").read_text() and "proves nothing" in bundle.lines[0]


@pytest.mark.slow
def test_a_form_that_cannot_be_costs_only_itself(tmp_path: Path) -> None:
    model = network(tmp_path / "code", "Branches").eval()
    straight = network(tmp_path / "code", "Constant")
    removal = pruning.remove_channels(straight.eval(), torch.randn(2, 8), sparsity=0.0, check=False)
    other = removal.__class__(**{**vars(removal), "model": model, "dense": model})
    bundle = pruning.export_bundle(other, torch.randn(2, 8), tmp_path / "out", formats=["weights", "pt2", "onnx"])
    assert statuses(bundle)["weights"] == "agrees" and statuses(bundle)["pt2"] == "left out"
    (why,) = [each.reason for each in bundle.left_out if each.form == "pt2"]
    assert "odd.py:" in why and "x.sum() > 1e9" in why
    card = (bundle.path / "README.md").read_text()
    assert "What is not here" in card and "at odd.py:" in card
    assert json.loads((bundle.path / "proof.json").read_text())["left_out"][0]["form"] == "pt2"
    assert not (bundle.path / "model.pt2").exists()


@pytest.mark.slow
def test_several_inputs_by_name_and_answers_in_a_dict(tmp_path: Path) -> None:
    model = network(tmp_path / "code", "Several").eval()
    inputs = {"x": torch.randn(3, 6), "other": torch.randn(3, 4), "way": "sum"}
    removal = pruning.remove_channels(model, inputs, sparsity=0.5)
    bundle = pruning.export_bundle(removal, inputs, tmp_path / "out", formats=["weights", "pt2"])
    assert statuses(bundle) == {"weights": "agrees", "pt2": "agrees"}
    done = subprocess.run(
        [sys.executable, "-c", f"{_block(bundle.path, 0)}\nprint(answer['logits'].shape)"],
        cwd=bundle.path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.strip() == "torch.Size([2, 3])", done.stderr


def _block(folder: Path, number: int) -> str:
    return (folder / "README.md").read_text().split("```python\n")[number + 1].split("```")[0]


def test_own_code_goes_along_with_what_it_imports_and_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_own(tmp_path / "Code mit Ümlaut")
    reference = f"file:{path}:build?classes=7"
    model = open_network(reference)
    removal = pruning.remove_channels(model.model, model.example_inputs, sparsity=0.5)
    bundle = pruning.export_bundle(
        removal, model.example_inputs, tmp_path / "out", architecture=reference, formats=["weights"]
    )
    assert statuses(bundle) == {"weights": "agrees"}
    code = {name for name in bundle.files if name.startswith("code/")}
    names = ("netz.py", "blöcke.py", "late.py", "widths.json", "parts/__init__.py", "parts/head.py", "parts/words.py")
    assert code == {f"code/{name}" for name in names}
    assert any("own code goes along" in remark and "widths.json" in remark for remark in bundle.remarks)
    shutil.rmtree(path.parent)
    shutil.move(bundle.path, tmp_path / "noch woanders")
    monkeypatch.setitem(sys.modules, "parts", ModuleType("parts"))  # of the program that loads it
    found = loaded(tmp_path / "noch woanders")
    x = torch.randn(5, 3, 12, 12)
    torch.testing.assert_close(found(x), removal.model(x), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_own_code_stays_at_home_where_it_is_asked_to(tmp_path: Path) -> None:
    path = write_own(tmp_path / "code")
    reference = f"file:{path}:build"
    model = open_network(reference)
    removal = pruning.remove_channels(model.model, model.example_inputs, sparsity=0.5)
    bundle = pruning.export_bundle(
        removal, model.example_inputs, tmp_path / "out", architecture=reference, formats=["weights"], code=False
    )
    assert statuses(bundle) == {"weights": "agrees"} and not any(name.startswith("code/") for name in bundle.files)
    done = subprocess.run([sys.executable, "load.py"], cwd=bundle.path, capture_output=True, text=True)
    assert done.stderr == (
        "Error: The code of the unpruned network is not in this bundle: call load(network) with what build() of "
        "netz.py gives.\n"
    )


@pytest.mark.slow
def test_what_builds_a_module_is_found_or_asked_for(tmp_path: Path) -> None:
    class Local(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(8, width), nn.Linear(width, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.two(self.one(x).relu())
            return found

    removal = pruning.remove_channels(Local(16).eval(), torch.randn(2, 8), sparsity=0.5)
    bundle = pruning.export_bundle(removal, torch.randn(2, 8), tmp_path / "out", formats=["weights", "pt2"])
    assert statuses(bundle) == {"weights": "left out", "pt2": "agrees"}
    assert "name it with architecture=" in bundle.left_out[0].reason
    with pytest.raises(InputError, match="No form of this network can be handed out"):
        pruning.export_bundle(removal, torch.randn(2, 8), tmp_path / "other", formats=["weights"])
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torchvision:squeezenet1_1?size=64", "torchvision:resnet18?size=64&classes=7"])
def test_a_librarys_network_is_known_by_its_tensors(name: str, tmp_path: Path) -> None:
    model = open_network(name)
    removal = pruning.remove_channels(model.model, model.example_inputs, sparsity=0.5, check=False)
    bundle = pruning.export_bundle(removal, model.example_inputs, tmp_path / "out", formats=["weights"])
    assert [proof.form for proof in bundle.proofs] == ["weights"]
    told = json.loads((bundle.path / "config.json").read_text())["architecture"]
    assert told["kind"] == "torchvision" and told["name"] == name.partition(":")[2].partition("?")[0]


ATTENTION = """
import torch
from torch import nn
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer


def seen(model):
    nn.init.normal_(list(model.modules())[-1].weight)  # torchvision begins some with zeros
    return model, torch.randn(2, 3, 16, 16)


def vit():
    return seen(VisionTransformer(image_size=16, patch_size=8, num_layers=2, num_heads=4, hidden_dim=32, mlp_dim=64,
                                  num_classes=5))


def swin():
    return seen(SwinTransformer(patch_size=[4, 4], embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=[4, 4],
                                num_classes=5))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "file"), [("vit", "slim_attention.py"), ("swin", "slim_windows.py")])
def test_attention_that_lost_heads(name: str, file: str, tmp_path: Path) -> None:
    path = tmp_path / "attention.py"
    path.write_text(ATTENTION)
    reference = f"file:{path}:{name}"
    model = open_network(reference)
    removal = pruning.remove_channels(model.model, model.example_inputs, sparsity=0.5)
    bundle = pruning.export_bundle(removal, model.example_inputs, tmp_path / "out", architecture=reference)
    assert bundle.left_out == (), bundle.left_out
    assert {proof.status for proof in bundle.proofs} == {"agrees"}, bundle.lines
    assert file in bundle.files and len([each for each in bundle.files if each.startswith("slim_")]) == 1


LIBRARIES = ("torchvision:resnet18?size=64", "timm:convnext_atto?size=64")
"""One of each; `benchmarks.bundle` takes more of them, at their own sizes."""


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARIES)
def test_each_form_of_a_librarys_network(name: str, tmp_path: Path) -> None:
    if name.startswith("timm"):
        pytest.importorskip("timm")
    model = open_network(name)
    enliven(model.model, model.example_inputs)
    removal = pruning.remove_channels(model.model, model.example_inputs, sparsity=0.5, check=False)
    bundle = pruning.export_bundle(removal, model.example_inputs, tmp_path / "out", architecture=name)
    assert bundle.left_out == (), bundle.left_out
    assert {proof.status for proof in bundle.proofs} == {"agrees"}, bundle.lines
