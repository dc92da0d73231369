"""The trained sample networks: the row of an opener."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pruning.base.errors import InputError, excerpt
from pruning.catalog.opener import Opener
from pruning.catalog.references import Reference, read_name
from sample_models import SAMPLES

if TYPE_CHECKING:
    from pruning.catalog.architecture import Architecture
    from pruning.catalog.network import Network


def sample_title(text: str) -> str | None:
    """What a sample network is called, by its reference; None where it is none.

    >>> sample_title("sample:lenet5"), sample_title("torchvision:resnet18")
    ('LeNet-5', None)
    """
    kind, _, name = text.partition(":")
    return SAMPLES[name].title if kind == "sample" and name in SAMPLES else None


def _check(reference: Reference) -> None:
    if reference.name not in SAMPLES:
        known = [f"sample:{name}" for name in SAMPLES]
        near = difflib.get_close_matches(reference.text, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise InputError(
            f"There is no model '{excerpt(reference.text)}'.{hint} Use one of {', '.join(known)}, or run:RUN for a "
            "finished run."
        )


def _open(reference: Reference) -> Network:
    import torch

    from pruning.catalog.network import Network

    _check(reference)
    sample = SAMPLES[reference.name]
    return Network(
        ref=reference.text,
        title=sample.title,
        model=sample.load(),
        example_inputs=torch.zeros(2, *sample.input_shape),
        weights=f"trained on {sample.trained_on}",
        data=sample.data,
        story=sample.story,
        provenance=sample.provenance(),
    )


def _architecture(reference: Reference) -> Architecture:
    from pathlib import Path

    import sample_models
    from pruning.catalog.architecture import Architecture

    file = Path(sample_models.__file__).with_name("architectures.py")
    return Architecture(kind="file", name=SAMPLES[reference.name].factory, file=file)


def _choices() -> Mapping[str, str]:
    """Those whose weights are here."""
    return {f"sample:{name}": sample.title for name, sample in SAMPLES.items() if sample.weights_path.is_file()}


SAMPLE = Opener(
    kind="sample",
    form="sample:NAME",
    read=read_name,
    check=_check,
    open=_open,
    architecture=_architecture,
    brings_data=True,
    choices=_choices,
    suggestions=lambda: {name: f"sample:{name}" for name in SAMPLES},
)
