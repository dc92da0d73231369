"""Networks that people prune, rebuilt after public reports: where they lie beside this project, all are tried."""

from __future__ import annotations

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
from tests.invariants import bits, changes, copies, fakes, state

CASES = Path(__file__).parents[2].parent / "shared" / "cases" / "removal"
LEAST = {
    "assert_channels": 0.73,
    "assert_tokens_dim": 0.73,
    "autocast_off_mha": 0.73,
    "bert_modeloutput": 0.73,
    "bilstm_proj_packed": 0.01,
    "bn_frozen_flatten1": 0.68,
    "channel_count_branch": 0.62,
    "condconv_5d_subclass": 0.73,
    "const_item_scale": 0.71,
    "deform_conv": 0.66,
    "ecapa_tdnn": 0.55,
    "f64_aux_stats": 0.7,
    "fastsurfer_maxout_unpool": 0.73,
    "fno_complex": 0.73,
    "gcn_adjacency_same_n": 0.6,
    "grucell_loop": 0.73,
    "grucell_single": 0.4,
    "hardcoded_batch_view": 0.64,
    "hifigan_generator": 0.73,
    "hifigan_mpd_spectral": 0.46,
    "hooks_bound_method": 0.68,
    "hooks_features": 0.73,
    "hooks_global_dict": 0.72,
    "involution_carafe": 0.62,
    "linear_on_1d_parameter": 0.7,
    "llama_gqa": 0.45,
    "lstm_proj_min": 0.09,
    "mask_equals_batch": 0.73,
    "mha_kdim_vdim": 0.49,
    "moe_linear_3d_subclass": 0.49,
    "nafnet": 0.69,
    "no_grad_mha": 0.73,
    "packed_lstm": 0.74,
    "pixelshuffle_chlayernorm": 0.72,
    "plain_mha_control": 0.73,
    "pointnet_tnet": 0.39,
    "repvgg_deploy": 0.73,
    "restormer_mdta": 0.44,
    "seqfirst_lstm_mask": 0.68,
    "squeeze_batch1": 0.38,
    "streaming_gru_state": 0.23,
    "streaming_gru_state_1layer": 0.37,
    "sync_counter_eval": 0.71,
    "timm_dm_nfnet_f0": 0.02,
    "timm_fastvit_reparam": 0.71,
    "timm_mobileone_reparam": 0.72,
    "timm_repvgg_reparam": 0.73,
    "timm_rexnet_100": 0.71,
    "timm_rexnet_double": 0.71,
    "transformer_pad_mask": 0.73,
    "vae_vq": 0.71,
    "wavenet_tcn": 0.73,
    "weight_std_resnet": 0.28,
    "yolov5_anchor_head": 0.68,
    "yolov8_detect": 0.73,
}
"""Least share of the multiply-accumulates that goes at sparsity 0.5."""
SETTINGS: dict[str, dict[str, Any]] = {"ecapa_tdnn": {"round_to": 8}}
ONE_SIZE = frozenset(
    "bn_frozen_flatten1 gcn_adjacency_same_n hardcoded_batch_view squeeze_batch1 streaming_gru_state_1layer".split()
)
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
    assert not list(fakes(done.model))
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
    """The smaller network runs, and can be copied before."""
    assert copies(removal.model)
    with torch.no_grad():
        given = output_tensors(Inputs.of(inputs).call(removal.model.eval()))
    assert given and all(isinstance(tensor, torch.Tensor) for tensor in given)
