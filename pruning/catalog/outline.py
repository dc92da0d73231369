"""Parameters and MACs of a library's network, counted on shapes alone."""

from __future__ import annotations

import contextlib
import functools

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from pruning.base.errors import InputError, PruningError, excerpt
from pruning.catalog.building import outline, without_numbers
from pruning.catalog.by_name import check_parameters, plan_of
from pruning.catalog.facts import Facts
from pruning.catalog.first_layer import first_output
from pruning.catalog.libraries import known_parameters
from pruning.catalog.openers import check_reference
from pruning.catalog.references import Reference


def facts_of(text: str) -> Facts:
    """As `pruning.catalog.listing.facts`, counted anew."""
    reference = check_reference(text)
    plan = plan_of(reference.bare)
    if plan is None:
        raise InputError(f"'{excerpt(text)}' is no network of a library: give one such as torchvision:resnet50.")
    model = outline(plan, reference.classes).eval()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    example = plan.example(model)
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    macs: int | None
    outputs: object
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            outputs = first_output(model(example[:1].to(device)))
        macs = counter.get_total_flops() // 2
    except Exception:  # code of a library that needs numbers
        macs, outputs = None, None
    classes = outputs.shape[1] if isinstance(outputs, Tensor) and outputs.dim() == 2 else None
    return Facts(parameters=parameters, macs=macs, input_shape=tuple(example.shape[1:]), classes=classes)


def check_size(reference: Reference) -> None:
    """Refuse a network of a library that is too large for the browser, before room is made for it: by what the library
    states, else by its shapes.

    Raises:
        InputError: it is too large, or there is none of that name.
    """
    check_parameters(reference.text, known_parameters(reference) or _counted(reference.bare))


@functools.lru_cache(maxsize=512)
def _counted(reference: Reference) -> int:
    """Parameters of a network of a library; 0 where they cannot be told without building it."""
    plan = plan_of(reference)
    with contextlib.suppress(PruningError):
        if plan is not None:
            return sum(parameter.numel() for parameter in without_numbers(plan, reference.classes).parameters())
    return 0
