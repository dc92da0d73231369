"""PyTorch's compiler, where this machine has what it needs to build code."""

from __future__ import annotations

import copy
import os
import shutil
import sysconfig
from pathlib import Path

import torch

from pruning.base.errors import InputError, first_line
from pruning.graph.inputs import Inputs
from pruning.graph.trace import ALONE
from pruning.latency.engines.candidate import Candidate
from pruning.latency.engines.eager import bound
from pruning.latency.engines.engine import Bound, Engine, Loaded
from pruning.onnx.silence import silence

COMPILERS = ("g++", "clang++")


def why_not() -> str | None:
    """A C++ compiler and Python's headers: torch.compile writes C++ for a processor."""
    if not any(shutil.which(name) for name in (os.environ.get("CXX", ""), *COMPILERS) if name):
        return "torch.compile needs a C++ compiler, and this machine has none: install g++."
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        return "torch.compile needs Python's headers (Python.h), not here: install python3-dev."
    return None


def load(candidate: Candidate, batch: int, threads: int) -> Loaded:
    """A compiled copy for inputs of fixed sizes; it is compiled when it gets its first ones, in some seconds. Copies of
    one network share what was compiled."""
    from torch._dynamo import config as dynamo
    from torch._inductor import config as inductor

    made = torch.compile(copy.deepcopy(candidate.model).float().eval(), dynamic=False)

    def take(inputs: Inputs) -> Bound:
        run = bound(made, inputs)  # type: ignore[arg-type]
        try:
            with ALONE, silence(), inductor.patch(compile_threads=1), dynamo.patch(fail_on_recompile_limit_hit=True):
                run()  # without these it starts processes that stay, and goes back to eager without a word
        except Exception as error:  # code of somebody else's network, and a compiler
            raise InputError(f"torch.compile cannot compile this network: {first_line(error)}.") from error
        return run

    return take


COMPILED = Engine(
    name="compile",
    title="torch.compile",
    explanation="PyTorch's compiler: builds code for this processor from the network's calls.",
    why_not=why_not,
    version=lambda: torch.__version__,
    load=load,
)
