"""Names of the classes that a network tells apart: of ImageNet, from a library or a file of weights, of a module."""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEYS = ("class_names", "classes", "label_names", "labels", "names", "categories", "id2label", "idx_to_class",
        "class_to_idx", "label2id")  # fmt: skip
"""Under which training scripts keep them: a list, number → name, or name → number."""
AROUND = ("args", "config", "cfg", "hyper_parameters", "hparams", "meta", "metadata", "dataset_meta", "pretrained_cfg",
          "model_args", "data", "dataset")  # fmt: skip
"""Under which a list of them may lie in turn."""
MOST_LETTERS = 200
Classes = tuple[tuple[str, ...], ...]


def named_in(values: Any, outputs: int | None) -> Classes:
    """Names that plain values give, such as those beside the weights in a file; () for none.

    `outputs`: how many there must be; None: as many as there are.
    """
    return _named(values, outputs, 0)


def _named(values: Any, outputs: int | None, depth: int) -> Classes:
    if not isinstance(values, Mapping):
        return ()
    for key in KEYS:
        found = as_classes(values.get(key), outputs)
        if found:
            return found
    for key in AROUND if depth < 3 else ():
        found = _named(_parsed(values.get(key)), outputs, depth + 1)
        if found:
            return found
    return ()


def as_classes(value: Any, outputs: int | None) -> Classes:
    """A list of names, or a mapping of numbers to names or of names to numbers, as names in order; () for others."""
    value = _parsed(value)
    if isinstance(value, Mapping):
        if value and all(type(number) is int for number in value.values()):
            value = {number: name for name, number in value.items()}
        numbered = {int(key): name for key, name in value.items() if str(key).isascii() and str(key).isdigit()}
        if sorted(numbered) != list(range(len(value))):
            return ()
        value = [numbered[number] for number in range(len(numbered))]
    if not isinstance(value, list | tuple) or len(value) < 2 or (outputs is not None and len(value) != outputs):
        return ()
    if not all(isinstance(name, str) and name.strip() and len(name) <= MOST_LETTERS for name in value):
        return ()
    return tuple((name,) for name in value)


def _parsed(value: Any) -> Any:
    """What a text holds that is JSON: in safetensors all that lies beside the tensors is text."""
    if isinstance(value, str) and value[:1] in "[{" and len(value) < 4_000_000:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value


@functools.cache
def imagenet() -> Classes:
    """WordNet number and words of the 1,000 classes of ImageNet, in the order of nearly all networks."""
    numbers = (Path(__file__).parent / "imagenet_synsets.txt").read_text(encoding="ascii").split()
    weights = importlib.import_module("torchvision.models").get_model_weights("resnet18")
    words = weights.DEFAULT.meta["categories"]
    return tuple(zip(numbers, words, strict=True))


@functools.cache
def of_timm(subset: str) -> Classes:
    """WordNet number and words of a larger ImageNet, such as 'imagenet-22k'; () where timm does not know it."""
    data = importlib.import_module("timm.data")
    try:
        info = data.ImageNetInfo(subset)
    except (AssertionError, OSError, AttributeError):
        return ()
    return tuple((name, *info.label_name_to_description(name).split(", ")) for name in info.label_names())
