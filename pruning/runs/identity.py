"""When two requests are the same: then the answer to one answers the other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch

from pruning.repair.kinds import CHOOSES
from pruning.runs.recipe import Recipe

ENGINE_VERSION = 1
"""Of the numbers: raise it with a change after which equal requests give other ones."""


def request_digest(kind: str, request: Mapping[str, Any], *, weights: str, data: str) -> str:
    """SHA-256 of all that an answer follows from: what is asked, the weights and images it is asked of (their own
    digests), and the engine that answers. `kind`: of work, so that requests of two kinds never meet.

    `request`: JSON-ready; the order of its names means nothing.
    """
    engine = [ENGINE_VERSION, torch.__version__]
    text = json.dumps([kind, engine, weights, data, dict(request)], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def recipe_digest(recipe: Recipe, *, weights: str, data: str, batch_norm: bool) -> str:
    """Identity of the run that a recipe asks for. The seed counts only where something draws: the criterion, training,
    or repair.

    `weights`, `data`: digests of the network and the images. `batch_norm`: whether the network has statistics that a
    run recalibrates.
    """
    values = recipe.to_values()
    repairs = recipe.repair in CHOOSES or (batch_norm and recipe.repair == "recalibrate")
    if not (recipe.prune.draws or recipe.finetune_steps or repairs):
        del values["seed"]
    if recipe.repair == "recalibrate":  # what runs did before there was a choice: they have that identity
        del values["repair"]
    return request_digest("run", values, weights=weights, data=data)
