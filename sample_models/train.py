"""Train a sample network from scratch: `python -m sample_models.train NAME [--data-dir DIR]`.

Learns from `train` images only, reports accuracy on `select` images on the way, and looks at the `test` images
once, at the end. Writes the weights and a provenance record beside them.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import dataclass
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.training.evaluate import evaluate
from pruning.training.finetune import TrainConfig, TrainEvent, choose_precision, train
from sample_models import SAMPLES


@dataclass(frozen=True)
class Phase:
    """One rise and fall of the learning rate."""

    epochs: int
    lr: float
    shift: int = 1
    cutmix: float = 0.0
    teacher: str | None = None
    """Another sample whose answers it learns from as well."""


PHASES = {
    "lenet300": (Phase(40, 0.1),),
    "lenet5": (Phase(25, 0.03),),
    "mini_resnet": (Phase(18, 0.15),),
    "resnet20": (Phase(52, 0.2, shift=4), Phase(29, 0.1, shift=4, cutmix=0.5, teacher="vgg_small")),
    "vgg_small": (Phase(50, 0.1, shift=4, cutmix=0.5), Phase(36, 0.05, shift=4, cutmix=0.5)),
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sample_models.train", description=__doc__)
    parser.add_argument("name", choices=SAMPLES)
    parser.add_argument("--data-dir", help="folder or zip with the images (else PRUNING_DATA, else downloaded)")
    parser.add_argument("--epochs", type=int, help="in each phase, instead of the sample's own number")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)

    sample = SAMPLES[args.name]
    data = open_data(sample.trained_on, args.data_dir, download=args.data_dir is None)
    torch.manual_seed(args.seed)
    model = sample.build().to(memory_format=torch.channels_last)
    curve: list[dict[str, float]] = []
    phases: list[dict[str, Any]] = []
    started = time.monotonic()
    for phase in PHASES[args.name]:
        phases.append(train_phase(model, data, phase, args.epochs or phase.epochs, args.seed, curve))
    record = {
        "name": sample.name,
        "weights": sum(p.numel() for p in model.parameters() if p.dim() >= 2),
        "parameters": sum(p.numel() for p in model.parameters()),
        "data": {"name": data.info.name, "source": data.source, "sha256": data.digest},
        "roles": {
            "train": f"{data.info.sizes['train']} images, learnt from",
            "select": f"{data.info.sizes['select']} images, watched while training, used for no choice",
            "test": f"{data.info.sizes['test']} images, looked at once, after the last epoch of each phase",
        },
        "epochs": len(curve),
        "seed": args.seed,
        "phases": phases,
        "accuracy": phases[-1]["accuracy"],
        "minutes": round((time.monotonic() - started) / 60, 1),
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "threads": torch.get_num_threads(),
        "curve": curve,
    }
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, sample.weights_path)
    sample.provenance_path.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps({"name": sample.name, **phases[-1]["accuracy"]}))
    return 0


def train_phase(
    model: nn.Module, data: Data, phase: Phase, epochs: int, seed: int, curve: list[dict[str, float]]
) -> dict[str, Any]:
    """Train for one phase, adding to `curve` after each epoch; what was done, and the accuracy it led to."""
    teacher = SAMPLES[phase.teacher].load().to(memory_format=torch.channels_last) if phase.teacher else None
    config = TrainConfig(
        steps=data.info.steps_of(epochs, 128),
        lr=phase.lr,
        shift=phase.shift,
        cutmix=phase.cutmix,
        precision=choose_precision(model),
        seed=seed,
    )

    def report(event: TrainEvent) -> None:
        if event.value is not None:
            curve.append({"epoch": len(curve) + 1, "select_accuracy": event.value, "loss": round(event.loss, 4)})
            print(
                f"epoch {len(curve)}  loss {event.loss:.3f}  select {event.value:.2%}  {event.seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )

    train(model, data, config, teacher=teacher, evaluations=epochs, progress=report)
    results = {role: evaluate(model, data, role) for role in ("select", "test")}
    return {
        "epochs": epochs,
        "optimiser": {
            "name": "SGD, Nesterov momentum, linear warm-up and cosine decay",
            "lr": config.lr,
            "momentum": config.momentum,
            "weight_decay": config.weight_decay,
            "batch_size": config.batch_size,
            "shift_pixels": config.shift,
            "mirrored": data.info.flips,
            "cutmix": config.cutmix,
            "precision": config.precision,
        },
        "teacher": phase.teacher,
        "accuracy": {
            role: {
                "accuracy": result.value,
                "interval": list(result.interval),
                "correct": result.correct,
                "images": result.images,
            }
            for role, result in results.items()
        },
    }


if __name__ == "__main__":
    sys.exit(main())
