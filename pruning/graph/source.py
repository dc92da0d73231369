"""Which lines of a stack are the network's own code, not torch's and not ours."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import FrameType

import torch

TORCH_FOLDER = str(Path(torch.__file__).parent) + "/"
MODULE_FILE = TORCH_FOLDER + "nn/modules/module.py"
OWN_FOLDER = str(Path(__file__).parents[1]) + "/"


def outside_torch(frames: traceback.StackSummary) -> list[traceback.FrameSummary]:
    """The frames of the model's own code: after the first call of a module, and not in torch."""
    entered = next((i for i, frame in enumerate(frames) if frame.filename == MODULE_FILE), len(frames))
    return [frame for frame in frames[entered:] if not frame.filename.startswith((TORCH_FOLDER, OWN_FOLDER, "<"))]


def users_line(frame: FrameType | None) -> tuple[str, int] | None:
    """File and line of the innermost frame of the model's own code: inside a call of a module, and not in torch; None
    where there is none. torch writes down all frames with their code, which takes much of the time of a trace."""
    found: tuple[str, int] | None = None
    while frame is not None:
        file = frame.f_code.co_filename
        if file == MODULE_FILE and found:
            return found
        if not found and not file.startswith((TORCH_FOLDER, OWN_FOLDER, "<")):
            found = file, frame.f_lineno
        frame = frame.f_back
    return None
