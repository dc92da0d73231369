"""What engines are called, for whoever must not wait for torch: help, refusals, forms."""

from __future__ import annotations

ENGINE_NAMES = ("eager", "compile", "onnxruntime", "openvino")
"""In the order of `pruning.latency.engines.table`."""
