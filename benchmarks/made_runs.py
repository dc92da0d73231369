"""Thousands of runs made from a few real ones: copies of their folders with other recipes and figures."""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

KINDS = ("channel", "weight", "iterative", "channel", "weight", "cancelled", "failed", "channel")
"""Folders that copies are made of, in turn."""
LINKED = ("model.safetensors", "answers.safetensors")
"""Large files, the same in each copy."""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def make_runs(folder: Path, stored: Path, count: int, seed: int = 0) -> None:
    """`count` folders of runs in `folder`, an hour and a bit apart, from the real ones in `stored`."""
    lots = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        created = BEGIN + timedelta(minutes=number)
        _copy(stored / kind, folder / f"{created:%Y%m%d-%H%M%S}-{kind}-{number:05d}", created, lots)


def _copy(source: Path, target: Path, created: datetime, lots: random.Random) -> None:
    target.mkdir()
    sparsity = round(lots.uniform(0.05, 0.95), 3)
    changes = {"sparsity": sparsity, "lr": round(lots.uniform(0.001, 0.1), 4), "seed": lots.randrange(1000)}
    for path in source.iterdir():
        if path.name in LINKED:
            os.link(path, target / path.name)
        elif path.name == "recipe.yaml":
            values = yaml.safe_load(path.read_text())
            (target / path.name).write_text(yaml.safe_dump(values | changes, sort_keys=False))
        elif path.name == "result.json":
            (target / path.name).write_text(json.dumps(_result(json.loads(path.read_text()), changes, lots)))
        elif path.name == "job.json":
            values = json.loads(path.read_text())
            (target / path.name).write_text(json.dumps(values | {"created": created.isoformat()}))
        else:
            (target / path.name).write_bytes(path.read_bytes())


def _result(values: dict[str, Any], changes: dict[str, Any], lots: random.Random) -> dict[str, Any]:
    """A result with other figures: fewer parameters the sparser, and an accuracy that falls with them."""
    sparsity, pruned, dense = changes["sparsity"], values["pruned"], values["dense"]
    values["recipe"] |= changes
    for name in ("params", "nonzero", "macs"):
        pruned[name] = max(1, round(dense[name] * (1 - sparsity)))
    pruned["nonzero"] = min(pruned["nonzero"], pruned["params"])
    right = round(pruned["images"] * max(0.1, 0.99 - sparsity**3 + lots.uniform(-0.02, 0.0)))
    share = right / pruned["images"]
    pruned |= {"correct": right, "accuracy": share, "accuracy_interval": [max(0, share - 0.02), min(1, share + 0.02)]}
    for layer in values["layers"]:
        layer["requested"] = sparsity
        layer["kept"] = max(1, round(layer["total"] * (1 - sparsity)))
        layer["achieved"] = 1 - layer["kept"] / layer["total"]
    return values
