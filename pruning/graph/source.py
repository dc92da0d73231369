"""Which lines of a stack are the network's own code, not torch's and not ours."""

from __future__ import annotations

import traceback
from pathlib import Path

import torch

TORCH_FOLDER = str(Path(torch.__file__).parent) + "/"
MODULE_FILE = TORCH_FOLDER + "nn/modules/module.py"
OWN_FOLDER = str(Path(__file__).parents[1]) + "/"


def outside_torch(frames: traceback.StackSummary) -> list[traceback.FrameSummary]:
    """The frames of the model's own code: after the first call of a module, and not in torch."""
    entered = next((i for i, frame in enumerate(frames) if frame.filename == MODULE_FILE), len(frames))
    return [frame for frame in frames[entered:] if not frame.filename.startswith((TORCH_FOLDER, OWN_FOLDER, "<"))]


def calling_line() -> str:
    """'file:line' of the network's code that runs just now; '' where none does."""
    outside = outside_torch(traceback.extract_stack())
    return f"{outside[-1].filename}:{outside[-1].lineno}" if outside else ""
