"""How long a run will take on this machine: an estimate from the time of one training step."""

from __future__ import annotations

import torch

from pruning.runs.pipeline import seconds_of_training
from pruning.runs.recipe import Recipe
from pruning.settings import settings
from pruning.subject import Subject

OVERHEAD = 10.0
"""Seconds that a run takes beside training: its process, the proof, accuracy on test images, and the clock."""


def run_seconds(recipe: Recipe, step_seconds: float) -> float:
    """Time of a whole run; `step_seconds`: as `seconds_of_step` gives it."""
    return OVERHEAD + step_seconds * recipe.finetune_steps


def seconds_of_step(subject: Subject, recipe: Recipe) -> float:
    """Time of one training step of the dense network in a process of the pool: with as many threads as the settings
    say. The threads of this process are as before afterwards."""
    before, threads = torch.get_num_threads(), settings().queue.threads
    if threads == before:  # as it is unless somebody says otherwise: nobody else's threads change meanwhile
        return seconds_of_training(recipe, subject, subject.model)
    torch.set_num_threads(threads)
    try:
        return seconds_of_training(recipe, subject, subject.model)
    finally:
        torch.set_num_threads(before)
