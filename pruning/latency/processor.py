"""Which processor this is: a time without it means little."""

from __future__ import annotations

import contextlib
import platform
from pathlib import Path


def processor() -> str:
    """The processor's name; its kind where the system does not say."""
    with contextlib.suppress(OSError):  # not Linux
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return " ".join(value.split())[:80]
    return platform.processor() or platform.machine() or "unknown processor"
