"""What a form of a bundle is: a way to have the network in files, with the code by which a clean process opens them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from torch import nn

from pruning.export.bundle.material import Material

Values = dict[str, Any]
Which = Literal["pruned", "dense"]


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a form wrote."""

    files: tuple[str, ...]
    """Places in the bundle."""
    config: Values = field(default_factory=dict)
    """What it adds to `config.json`."""
    remarks: tuple[str, ...] = ()
    """What is to be said of it, whole sentences."""
    apart: Mapping[str, Path] = field(default_factory=dict)
    """What a clean process gets beside the bundle, since the bundle is to go without it: place → file."""
    originals: tuple[Path, ...] = ()
    """Files of which copies go along, or which cannot: a clean process may not read them where they are."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """A row in `pruning.export.bundle.forms.FORMS` is all that export, proof, command line and README need."""

    name: str
    """As `--format` takes it."""
    title: str
    of: Which = "pruned"
    """Which network it holds."""
    goes_with: str = ""
    """Name of another form: made where that one is, and never asked for by itself."""
    extra: str | None = None
    """Extra of the installation that writes it."""
    write: Callable[[Material, nn.Module, Path, bool], Made]
    """Gets what the bundle is made of, the network itself, the bundle's folder, and whether somebody's own code goes
    along. Raises PruningError where this network has no such form, with the operation and the line where known."""
    opening: str
    """Python that a clean process runs: it finds the bundle's folder as `folder` and defines `answer(arrays)`, from
    NumPy arrays to what the network gives; one that trains also leaves the module as `model`."""
    usage: Callable[[Values], str]
    """Python for the README that loads it in the bundle's folder and calls it, by what stands in `config.json`."""
    trains: bool = False
    """Whether it can be trained on."""

    @property
    def asked_by(self) -> str:
        """What `--format` calls it by."""
        return self.goes_with or self.name


def call_text(config: Values) -> str:
    """The arguments of a call with zeros in a batch of 2, as Python: 'torch.zeros(2, 1, 28, 28)'."""
    made = []
    for tensor in config["inputs"]:
        dtype = "" if tensor["dtype"] == "float32" else f", dtype=torch.{tensor['dtype']}"
        made.append(f"torch.zeros({', '.join(map(str, sizes(tensor)))}{dtype})")
    called = config["call"]["dict"]
    texts = [_text(value, made) for value in called["args"]]
    texts += [f"{name}={_text(value, made)}" for name, value in called["kwargs"]["dict"].items()]
    return ", ".join(texts)


def sizes(tensor: Values) -> list[int]:
    """Shape of an input, in a batch of 2."""
    return [2 if size is None else size for size in tensor["shape"]]


def _text(value: Any, made: list[str]) -> str:
    """A value of `pruning.export.bundle.encoding` as Python."""
    if isinstance(value, list):
        return f"[{', '.join(_text(item, made) for item in value)}]"
    if not isinstance(value, dict):
        return repr(value)
    ((kind, inner),) = value.items()
    if kind == "tensor":
        return made[int(inner)]
    if kind == "dict":
        return f"{{{', '.join(f'{key!r}: {_text(item, made)}' for key, item in inner.items())}}}"
    if kind == "tuple":
        return f"({''.join(f'{_text(item, made)}, ' for item in inner)})"
    return {"float": f"float({inner!r})", "dtype": f"torch.{inner}", "size": f"torch.Size({inner})"}[kind]
