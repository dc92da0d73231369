"""Under which licence a network's weights are, where somebody says so."""

from __future__ import annotations

import importlib

from pruning.catalog.openers import parse_reference


def licence_of(ref: str) -> str:
    """Of the weights that a reference asks for, in words; '' where nobody says."""
    reference = parse_reference(ref)
    if reference.kind == "sample":
        return "MIT"
    if reference.weights != "default":
        return ""
    if reference.kind == "torchvision":
        return "BSD-3-Clause, as torchvision; terms of the data that it learnt from may apply, say its makers"
    if reference.kind == "timm":
        config = importlib.import_module("timm").models.get_pretrained_cfg(reference.name)
        return str(getattr(config, "license", None) or "")
    return ""
