"""Does a bundle of every network load where nothing of ours is, and what does making one cost?

    python -m benchmarks.bundle [--only NAME ...] [--cost]

Claims: bundles of the five samples, of networks of torchvision and timm, and of a network in a Python file have every
form, and each agrees with the module in this process (networks without trained weights may answer all inputs alike,
which is told apart). `--cost`: that of ResNet-50, with its proof, takes at most 90 s, and all processes together at
most 1.5 GB above this one when idle (memory of their own and their share of what they have in common, looked at ten
times a second). Channels are removed at 0.5, without proof of the removal, which is another benchmark's. Linux only.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.common import report, say
from pruning import export_bundle, remove_channels
from pruning.catalog.openers import open_network

OWN = """
from torch import nn
from beside import Block

def build():
    return nn.Sequential(Block(3, 32), Block(32, 48), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, 6))
"""
BESIDE = """
from torch import nn

class Block(nn.Sequential):
    def __init__(self, before, after):
        super().__init__(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())
"""
NETWORKS = (
    *(f"sample:{name}" for name in ("mini_resnet", "lenet5", "lenet300", "resnet20", "vgg_small")),
    *(f"torchvision:{name}" for name in ("resnet18", "mobilenet_v2", "densenet121", "efficientnet_b0")),
    *(f"timm:{name}" for name in ("resnet18", "vit_tiny_patch16_224", "convnext_atto", "efficientnet_lite0")),
    "own",
)
LARGE = "torchvision:resnet50"
SECONDS, BYTES = 90.0, 1.5e9


def held() -> int:
    """Bytes of this process and all its children: their own, and their share of what several have."""
    total, parents = 0, {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
    family = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    for pid in family:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                total += 1024 * int(line.split()[1]) if line.startswith("Pss:") else 0
    return total


@contextmanager
def watched() -> Iterator[dict[str, int]]:
    """The most that was held meanwhile."""
    found, done = {"peak": held()}, threading.Event()

    def look() -> None:
        while not done.wait(0.1):
            found["peak"] = max(found["peak"], held())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


@torch.no_grad()
def enliven(model: nn.Module, inputs: Any) -> None:
    """Random weights that answer different inputs differently: nothing begins with zeros, and statistics of batch
    normalisation are those of inputs as far spread as those of a proof. Without that the answers of a deep one are all
    alike, or it enlarges what rounding alone makes of them."""
    for parameter in model.parameters():
        if not parameter.any():
            parameter.normal_(std=0.1)
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum, norm.training = None, True
    model(torch.randn(16, *inputs.shape[1:]) * torch.tensor([0.7, 1.0, 1.4, 2.0]).repeat(4)[:, None, None, None])
    for norm in norms:
        norm.momentum, norm.training = 0.1, False


def one(name: str, folder: Path) -> dict[str, Any]:
    """A bundle of a network, and what became of each form."""
    reference = name
    if name == "own":
        (folder / "net.py").write_text(OWN)
        (folder / "beside.py").write_text(BESIDE)
        reference = f"file:{folder / 'net.py'}:build?size=32"
    network = open_network(reference)
    if network.untrained:
        enliven(network.model, network.example_inputs)
    removal = remove_channels(network.model, network.example_inputs, sparsity=0.5, check=False)
    if network.untrained:
        enliven(removal.model, network.example_inputs)
    idle = held()
    started = time.perf_counter()
    with watched() as memory:
        bundle = export_bundle(removal, network.example_inputs, folder / "out", architecture=reference)
    return {
        "forms": {proof.form: proof.status for proof in bundle.proofs},
        "largest_share_of_what_is_allowed": max(proof.worst or 0.0 for proof in bundle.proofs),
        "left_out": {each.form: each.reason for each in bundle.left_out},
        "seconds": round(time.perf_counter() - started, 1),
        "bytes_above_idle": memory["peak"] - idle,
        "bytes_of_bundle": bundle.bytes,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], help="some of the networks, for a try, which is not kept")
    parser.add_argument("--cost", action="store_true", help=f"seconds and memory for {LARGE}, on an idle machine")
    args = parser.parse_args()
    names = (LARGE,) if args.cost else tuple(args.only) or NETWORKS
    figures = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = one(name, Path(folder))
        say(f"{name}: {figures[name]}")
    if args.cost:
        cost = figures[LARGE]
        holds = cost["seconds"] <= SECONDS and cost["bytes_above_idle"] <= BYTES
        return report("bundle-cost", "a bundle of ResNet-50 in 90 s and 1.5 GB", holds, figures)
    holds = all(not found["left_out"] for found in figures.values())
    return report("bundle", "every form loads in a clean process and agrees", holds, figures, keep=not args.only)


if __name__ == "__main__":
    raise SystemExit(main())
