"""Exporters and converters that talk are not heard: what they mean becomes one sentence of ours."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

from pruning.graph.trace import CHATTER

LOUD = (*CHATTER, "torch.onnx", "onnxscript", "onnx_ir", "onnx")
"""Loggers of all that takes part."""


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Inside, what torch's exporters and compilers and ONNX's tools say goes nowhere. It is the whole process's streams
    that are turned away: one thread at a time, and not for long."""
    loggers = [logging.getLogger(name) for name in LOUD]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
