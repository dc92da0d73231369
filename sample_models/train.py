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

from pruning.catalog.datasets import load_dataset
from pruning.evaluate import evaluate
from pruning.finetune import TrainConfig, TrainEvent, choose_precision, steps_per_epoch, train
from sample_models import SAMPLES


@dataclass(frozen=True)
class Recipe:
    """What a sample is trained with."""

    epochs: int
    lr: float
    shift: int = 1
    cutmix: float = 0.0
    teacher: str | None = None
    """Another sample whose answers it learns from as well."""


RECIPES = {
    "lenet300": Recipe(epochs=40, lr=0.1),
    "lenet5": Recipe(epochs=25, lr=0.03),
    "mini_resnet": Recipe(epochs=18, lr=0.15),
    "resnet20": Recipe(epochs=60, lr=0.15, shift=4, cutmix=0.5, teacher="vgg_small"),
    "vgg_small": Recipe(epochs=50, lr=0.1, shift=4, cutmix=0.5),
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sample_models.train", description=__doc__)
    parser.add_argument("name", choices=SAMPLES)
    parser.add_argument("--data-dir", help="folder or zip with the images (else PRUNING_DATA, else downloaded)")
    parser.add_argument("--epochs", type=int, help="instead of the sample's own number")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--go-on", action="store_true", help="from the sample's present weights, instead of afresh")
    parser.add_argument("--lr", type=float, help="instead of the sample's own learning rate")
    args = parser.parse_args(arguments)

    sample = SAMPLES[args.name]
    recipe = RECIPES[args.name]
    data = load_dataset(sample.trained_on, args.data_dir, download=args.data_dir is None)
    torch.manual_seed(args.seed)
    before = sample.provenance() if args.go_on else {}
    model = (sample.load() if args.go_on else sample.build()).to(memory_format=torch.channels_last)
    teacher = SAMPLES[recipe.teacher].load().to(memory_format=torch.channels_last) if recipe.teacher else None
    epochs = args.epochs or recipe.epochs
    config = TrainConfig(
        steps=epochs * steps_per_epoch(data, 128),
        lr=args.lr or recipe.lr,
        shift=recipe.shift,
        cutmix=recipe.cutmix,
        precision=choose_precision(model),
        seed=args.seed,
    )
    curve: list[dict[str, float]] = []
    earlier: list[dict[str, float]] = before.get("curve", [])

    def report(event: TrainEvent) -> None:
        if event.accuracy is not None:
            epoch = len(earlier) + len(curve) + 1
            curve.append({"epoch": epoch, "select_accuracy": event.accuracy, "loss": round(event.loss, 4)})
            print(
                f"epoch {epoch}/{len(earlier) + epochs}  loss {event.loss:.3f}  "
                f"select {event.accuracy:.2%}  {event.seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )

    started = time.monotonic()
    train(model, data, config, teacher=teacher, evaluations=epochs, progress=report)
    seconds = time.monotonic() - started
    results = {role: evaluate(model, data, role) for role in ("select", "test")}
    record = {
        "name": sample.name,
        "weights": sum(p.numel() for p in model.parameters() if p.dim() >= 2),
        "parameters": sum(p.numel() for p in model.parameters()),
        "data": {"name": data.info.name, "source": data.source, "sha256": data.digest},
        "roles": {
            "train": f"{data.info.sizes['train']} images, learnt from",
            "select": f"{data.info.sizes['select']} images, watched while training, used for no choice",
            "test": f"{data.info.sizes['test']} images, looked at once, after the last epoch",
        },
        "epochs": len(earlier) + epochs,
        "earlier": _phases(before),
        "seed": args.seed,
        "optimiser": {
            "name": "SGD, Nesterov momentum, linear warm-up and cosine decay",
            "lr": config.lr,
            "momentum": config.momentum,
            "weight_decay": config.weight_decay,
            "batch_size": config.batch_size,
            "shift_pixels": config.shift,
            "cutmix": config.cutmix,
            "mirrored": data.info.flips,
            "precision": config.precision,
        },
        "teacher": recipe.teacher,
        "accuracy": {
            role: {
                "accuracy": result.accuracy,
                "interval": list(result.interval),
                "correct": result.correct,
                "images": result.images,
            }
            for role, result in results.items()
        },
        "minutes": round(seconds / 60 + before.get("minutes", 0.0), 1),
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "threads": torch.get_num_threads(),
        "curve": earlier + curve,
    }
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, sample.weights_path)
    sample.provenance_path.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps({"name": sample.name, **record["accuracy"]}))
    return 0


def _phases(before: dict[str, Any]) -> list[dict[str, Any]]:
    """What a network was trained with before it went on: a record for each time the learning rate rose again."""
    if not before:
        return []
    phase = {key: before[key] for key in ("epochs", "seed", "optimiser", "accuracy")}
    return [*before.get("earlier", []), {**phase, "teacher": before.get("teacher")}]


if __name__ == "__main__":
    sys.exit(main())
