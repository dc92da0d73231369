"""How long does exact removal take, and how does that grow with the network?

    python -m benchmarks.removal_speed

Claims, on one core: trace, group and remove take at most 3 s for ResNet-50 and 10 s for DenseNet-201 (224×224 images,
median of three), and time per layer does not grow by more than half when a plain network gets four times as many
layers, or layers four times as wide. The proof is timed beside it. Torch-Pruning runs in turn with ours, without a
proof, as it has none.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import sys
import time
from typing import Any

import torch
import torchvision
from torch import nn

from benchmarks.common import report, say
from pruning.removal.remove import remove
from pruning.spec import PruneSpec

LIMITS = {"resnet50": 3.0, "densenet201": 10.0}
ROUNDS = 3
GROWTH = 1.5
"""Most that the time per layer may grow."""


def ours(model: nn.Module, images: torch.Tensor, check: bool = False) -> dict[str, float]:
    """Seconds of each part."""
    clock: dict[str, float] = {}
    remove(model, images, PruneSpec(sparsity=0.5), check=check, clock=clock)
    return clock


def peer(model: nn.Module, images: torch.Tensor) -> float:
    """Seconds of Torch-Pruning for the same; it changes the model."""
    import torch_pruning

    started = time.perf_counter()
    last = [m for m in model.modules() if isinstance(m, nn.Linear) and m.out_features == 1000]
    pruner = torch_pruning.pruner.BasePruner(
        model,
        images[:1],
        importance=torch_pruning.importance.MagnitudeImportance(p=2),
        pruning_ratio=0.5,
        ignored_layers=last,
    )
    pruner.step()
    return time.perf_counter() - started


def measured(name: str) -> dict[str, Any]:
    """Both tools in turn on one network; the first round, which loads code, does not count."""
    images = torch.randn(2, 3, 224, 224)
    parts: list[dict[str, float]] = []
    others: list[float] = []
    for number in range(ROUNDS + 1):
        model = torchvision.models.get_model(name, weights=None).eval()
        seconds, other = ours(model, images), peer(model, images)
        if number:
            parts.append(seconds)
            others.append(other)
        say(f"{name}: {sum(seconds.values()):.2f} s, peer {other:.2f} s")
    checked = ours(torchvision.models.get_model(name, weights=None).eval(), images, check=True)
    totals = [sum(part.values()) for part in parts]
    return {
        "seconds": round(statistics.median(totals), 2),
        "parts": {key: round(statistics.median(part[key] for part in parts), 3) for key in parts[0]},
        "proof_seconds": round(checked["check"], 2),
        "peer_seconds": round(statistics.median(others), 2),
        "limit": LIMITS[name],
    }


def plain(layers: int, width: int) -> nn.Module:
    """Convolutions with batch norm, one after the other."""
    parts: list[nn.Module] = []
    for number in range(layers):
        parts += [nn.Conv2d(3 if number == 0 else width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10)).eval()


def per_layer(layers: int, width: int) -> float:
    """Milliseconds per layer to trace, group and remove; median of three."""
    model, images = plain(layers, width), torch.randn(2, 3, 16, 16)
    seconds = [sum(ours(model, images).values()) for _ in range(ROUNDS + 1)][1:]
    return round(1000 * statistics.median(seconds) / layers, 2)


def main() -> int:
    torch.set_num_threads(1)
    networks = {name: measured(name) for name in LIMITS}
    sizes = {"25 layers of 64": (25, 64), "100 layers of 64": (100, 64), "25 layers of 256": (25, 256)}
    growth = {name: per_layer(*size) for name, size in sizes.items()}
    base, deep, wide = growth.values()
    # removal copies weights, of which a layer four times as wide has sixteen times as many
    holds = all(row["seconds"] <= row["limit"] for row in networks.values()) and max(deep, wide) <= GROWTH * base
    figures = {"networks": networks, "milliseconds_per_layer": growth}
    return report("removal-speed", "ResNet-50 within 3 s, DenseNet-201 within 10 s, about linear", holds, figures)


if __name__ == "__main__":
    sys.exit(main())
