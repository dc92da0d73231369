"""A first run for somebody who has none: a small network that reads digits, about 20 seconds."""

from __future__ import annotations

from pathlib import Path

from pruning.data.readers import describe_data
from pruning.runs import start
from pruning.runs.quota import check_room
from pruning.runs.recipe import Recipe
from pruning.runs.store import create_run
from pruning.spec import PruneSpec

EPOCHS = 2


def first_recipe() -> Recipe:
    """40 % of the channels go, and what is left is fine-tuned for `EPOCHS` epochs."""
    recipe = Recipe(model="sample:mini_resnet", data="mnist5k", prune=PruneSpec(sparsity=0.4))
    return recipe.replace(finetune_steps=describe_data(recipe.data).steps_of(EPOCHS, recipe.batch_size))


def start_first_run() -> Path:
    """Start it in a process of its own; its folder.

    Raises:
        InputError: runs take as much as the settings allow.
        StorageError: it cannot be written, or its process cannot be started.
    """
    check_room()
    path = create_run(first_recipe())
    start.start_run(path)
    return path
