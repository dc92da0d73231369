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

import torch
from safetensors.torch import save_file

from pruning.catalog.datasets import load_dataset
from pruning.evaluate import evaluate
from pruning.finetune import TrainConfig, TrainEvent, choose_precision, steps_per_epoch, train
from sample_models import SAMPLES, Sample


def recipe_of(sample: Sample) -> dict[str, float]:
    """Epochs, learning rate and shift that a sample is trained with."""
    return {
        "lenet300": {"epochs": 40, "lr": 0.1, "shift": 1},
        "lenet5": {"epochs": 25, "lr": 0.03, "shift": 1},
        "mini_resnet": {"epochs": 18, "lr": 0.15, "shift": 1},
        "resnet20": {"epochs": 52, "lr": 0.2, "shift": 4},
        "vgg_small": {"epochs": 30, "lr": 0.1, "shift": 4},
    }[sample.name]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sample_models.train", description=__doc__)
    parser.add_argument("name", choices=SAMPLES)
    parser.add_argument("--data-dir", help="folder or zip with the images (else PRUNING_DATA, else downloaded)")
    parser.add_argument("--epochs", type=int, help="instead of the sample's own number")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)

    sample = SAMPLES[args.name]
    recipe = recipe_of(sample)
    data = load_dataset(sample.trained_on, args.data_dir, download=args.data_dir is None)
    torch.manual_seed(args.seed)
    model = sample.build().to(memory_format=torch.channels_last)
    epochs = args.epochs or int(recipe["epochs"])
    config = TrainConfig(
        steps=epochs * steps_per_epoch(data, 128),
        lr=recipe["lr"],
        shift=int(recipe["shift"]),
        precision=choose_precision(model),
        seed=args.seed,
    )
    curve: list[dict[str, float]] = []

    def report(event: TrainEvent) -> None:
        if event.accuracy is not None:
            epoch = len(curve) + 1
            curve.append({"epoch": epoch, "select_accuracy": event.accuracy, "loss": round(event.loss, 4)})
            print(
                f"epoch {epoch}/{epochs}  loss {event.loss:.3f}  select {event.accuracy:.2%}  {event.seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )

    started = time.monotonic()
    train(model, data, config, evaluations=epochs, progress=report)
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
        "epochs": epochs,
        "seed": args.seed,
        "optimiser": {
            "name": "SGD, Nesterov momentum, linear warm-up and cosine decay",
            "lr": config.lr,
            "momentum": config.momentum,
            "weight_decay": config.weight_decay,
            "batch_size": config.batch_size,
            "shift_pixels": config.shift,
            "mirrored": data.info.flips,
            "precision": config.precision,
        },
        "accuracy": {
            role: {
                "accuracy": result.accuracy,
                "interval": list(result.interval),
                "correct": result.correct,
                "images": result.images,
            }
            for role, result in results.items()
        },
        "minutes": round(seconds / 60, 1),
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "threads": torch.get_num_threads(),
        "curve": curve,
    }
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, sample.weights_path)
    sample.provenance_path.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps({"name": sample.name, **record["accuracy"]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
