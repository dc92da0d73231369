"""Networks that people prune, rebuilt after public reports: where they lie beside this project they are all tried."""

from __future__ import annotations

import copy
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pruning.graph.inputs import Inputs

CASES = Path(__file__).parents[2].parent / "shared" / "cases" / "removal"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CASES.exists(), reason=f"the networks are not in {CASES}"),
    pytest.mark.filterwarnings("ignore"),
]


@dataclass(frozen=True, kw_only=True)
class Right:
    """What is right for a network at sparsity 0.5."""

    macs: float
    """Least share of the multiply-accumulates that goes."""
    locked: tuple[tuple[str, str], ...] = ()
    """(layer, words of the reason) of what must stay."""
    one_size: bool = False
    """Whether its batch cannot change, so that two inputs of one size prove it."""
    fuses: bool = False
    """Whether it computes the same once it is re-parametrised."""


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"case_{name}", CASES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


def macs(model: nn.Module, inputs: Any) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        Inputs.of(inputs).call(copy.deepcopy(model).eval())
    return counter.get_total_flops() // 2
