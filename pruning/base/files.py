"""Where files are kept on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """Where decoded images and downloads are kept: PRUNING_CACHE, else the user's cache folder."""
    chosen = os.environ.get("PRUNING_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(chosen) if chosen else base / "pruning-explorer"
