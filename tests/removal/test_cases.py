"""Networks that people prune, rebuilt after public reports: where they lie beside this project all of them are tried."""

from __future__ import annotations

import copy
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pruning import Removal, remove_channels
from pruning.graph.inputs import Inputs
from pruning.graph.outputs import output_tensors
from tests.invariants import bits, changes, state

CASES = Path(__file__).parents[2].parent / "shared" / "cases" / "removal"
LEAST: dict[str, float] = {}
"""Least share of the multiply-accumulates that goes at sparsity 0.5."""
SETTINGS: dict[str, dict[str, Any]] = {"ecapa_tdnn": {"round_to": 8}}
ONE_SIZE = frozenset(())
"""Networks whose batch cannot change, so that two inputs of one size prove it."""
FUSED = frozenset(("repvgg_deploy", "timm_mobileone_reparam", "timm_fastvit_reparam", "timm_repvgg_reparam"))
"""Networks that merge their branches after training."""
WRITING = frozenset("f64_aux_stats sync_counter_eval timm_rexnet_100 yolov5_anchor_head vae_vq".split())
"""Networks into whose tensors a proof once wrote."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CASES.exists(), reason="shared/cases/removal is not beside this project"),
    pytest.mark.filterwarnings("ignore"),
]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"case_{name}", CASES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


def macs(model: nn.Module, inputs: Any) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        Inputs.of(inputs).call(model.eval())
    return counter.get_total_flops() // 2


def test_each_of_them_is_known_here() -> None:
    assert {path.stem for path in CASES.glob("*.py")} == set(LEAST)


@pytest.mark.parametrize("name", LEAST)
def test_they_lose_what_can_go_and_nothing_else_changes(name: str) -> None:
    if name.startswith("timm_") and importlib.util.find_spec("timm") is None:
        pytest.skip("timm is not installed (requirements-dev.txt)")
    module = load(name)
    torch.manual_seed(0)
    model, inputs = module.build()
    before = state(model)
    done = remove_channels(model, inputs, sparsity=0.5, **SETTINGS.get(name, {}))
    assert not changes(before, model)
    assert not changes(state(done.model), done.model)
    check = done.check
    assert check is not None and check.status == "exact"
    assert (check.batches[0] == check.batches[1]) is (name in ONE_SIZE), check
    assert ("since" in check.reference) is (name in ONE_SIZE)
    assert all(locked.reason for locked in done.locked)
    if name in WRITING:
        plain = remove_channels(model, inputs, sparsity=0.5, check=False)
        assert numbers(plain) == numbers(done)
    if name in FUSED:
        assert module.after(done.model, inputs) < 1e-5
    answers(done, inputs)
    gone = 1 - macs(done.model, inputs) / macs(module.build()[0], inputs)
    assert gone >= LEAST[name], {locked.layers: locked.reason for locked in done.locked}


def numbers(removal: Removal) -> dict[str, Any]:
    tensors = (*removal.model.named_parameters(), *removal.model.named_buffers())
    return {name: bits(tensor) for name, tensor in tensors}


def answers(removal: Removal, inputs: Any) -> None:
    """The smaller network runs, and can be copied and run again."""
    with torch.no_grad():
        given = output_tensors(Inputs.of(inputs).call(removal.model.eval()))
    assert given and all(isinstance(tensor, torch.Tensor) for tensor in given)
    copy.deepcopy(removal.model) if state(removal.model)["copies"] else None
