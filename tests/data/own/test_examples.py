"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pruning.data.own as own


def test_examples_are_true() -> None:
    found = [
        doctest.testmod(importlib.import_module(module.name))
        for module in pkgutil.iter_modules(own.__path__, f"{own.__name__}.")
    ]
    assert sum(result.attempted for result in found) > 5 and not any(result.failed for result in found)
