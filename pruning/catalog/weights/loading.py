"""Weights from a file into a network: all of its own parameters must be there, in their shapes, and finite."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from pruning.base.errors import InputError, excerpt
from pruning.catalog.weights.contents import Contents, Values, read_contents
from pruning.catalog.weights.masks import unmasked
from pruning.catalog.weights.matching import Match, chosen, find_matches
from pruning.catalog.weights.misfit import few, misfit, shape_words

STATISTICS = ("running_mean", "running_var")
"""Buffers that training fills: without them a network answers as if it had never seen an image."""
_OF_TRAINING = re.compile(r"optim|sched|scaler|rng|random|(^|\.)state\.\d+\.", re.IGNORECASE)
"""Names of what a training script keeps to go on with, which nobody expects in a network."""
NO_PART = ("num_batches_tracked", "n_averaged", "total_ops", "total_params")
"""Ends of names of counters, which are no part of what a network computes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A set of weights in a file that a network takes, perhaps with another number of classes."""

    contents: Contents
    match: Match
    others: tuple[Match, ...]
    """Sets of weights in the same file that it takes as well."""
    classes: tuple[int, int] | None = None
    """Outputs of the last layer that the network has, and that the file has, where these are not the same."""
    head: tuple[str, ...] = ()
    """Names in the network of the tensors that have another number of classes in the file."""

    @property
    def values(self) -> Mapping[str, Values]:
        """Plain values that lie beside the weights."""
        return self.contents.values

    @property
    def held_zero(self) -> tuple[str, ...]:
        """Names in the network of tensors whose zeros a mask in the file holds."""
        return tuple(name for name, full in self.match.names.items() if full in self.contents.masked)


def own_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and persistent buffers by name."""
    return {name: tensor for name, tensor in model.state_dict(keep_vars=True).items() if isinstance(tensor, Tensor)}


def find_weights(model: nn.Module, contents: Contents, key: str | None = None) -> Fit:
    """The set of weights in a file that is the network's, its number of classes aside.

    `model` may lie on the meta device. `key`: which of several sets to take.

    Raises:
        InputError: none is, or there is no such set; with what is missing, too many, or of another shape.
    """
    own = own_tensors(model)
    contents = unmasked(contents, own)
    given = {name: tuple(tensor.shape) for name, tensor in contents.tensors.items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in own.items()}
    matches = find_matches(given, shapes)
    if not matches:
        raise misfit(contents, None, own, [])
    match = chosen(matches, key) if key else matches[0]
    if match is None:
        raise InputError(
            f"There is no set of weights '{excerpt(key or '')}' in {contents.said} that fits the network: "
            f"{_sets(matches)}."
        )
    needed = [name for name in _missing(own, match) if _is_needed(name, own)]
    wrong = [name for name, full in match.names.items() if given[full] != shapes[name]]
    wrong = [name for name in wrong if _is_needed(name, own)]
    pairs = {pair for name in wrong for pair in [_one_difference(shapes[name], given[match.names[name]])]}
    others = tuple(
        one for one in matches if one is not match and not any(_is_needed(name, own) for name in _missing(own, one))
    )
    if wrong and not needed and len(pairs) == 1 and len(wrong) <= max(4, len(own) // 10):
        pair = pairs.pop()
        if pair is not None:
            _check_rows(contents, [match.names[name] for name in wrong])
            return Fit(contents=contents, match=match, others=others, classes=pair, head=tuple(wrong))
    if needed or wrong:
        raise misfit(contents, match, own, needed)
    return Fit(contents=contents, match=match, others=others)


def load_weights(model: nn.Module, fit: Fit) -> str:
    """Fill a network with weights that were found to fit, in place; what is to be said of them, to go on 'from FILE'.

    Raises:
        InputError: they are not finite, no plain numbers, or for another number of classes.
    """
    contents, match = fit.contents, fit.match
    own = own_tensors(model)
    if fit.classes is not None:
        raise other_classes(fit, fit.classes[0])
    kinds: set[torch.dtype] = set()
    with torch.no_grad():
        for name, full in match.names.items():
            tensor = contents.tensors[full]
            if tensor.shape != own[name].shape:
                continue  # bookkeeping that the network makes itself
            if not _is_needed(name, own) and _is_same_rounded(tensor, own[name], full):
                continue
            own[name].copy_(_checked(tensor, own[name], full, contents))
            if tensor.dtype != own[name].dtype and tensor.is_floating_point():
                kinds.add(tensor.dtype)
    return "; ".join([*_taken(fit), *_masked(fit), *_converted(kinds), *_kept(own, match), *_left_out(fit)])


def unloaded_buffers(model: nn.Module, fit: Fit) -> set[str]:
    """Names of buffers of real numbers that the file lacks, so that they are as the network makes them."""
    own = own_tensors(model)
    return {name for name in _missing(own, fit.match) if own[name].is_floating_point() and not name.endswith(NO_PART)}


def load_state_file(model: nn.Module, path: Path | str, key: str | None = None) -> str:
    """`read_contents`, `find_weights` and `load_weights` at once.

    Raises:
        InputError: as these.
    """
    return load_weights(model, find_weights(model, read_contents(path), key))


def other_classes(fit: Fit, asked: int) -> InputError:
    """The sentence for weights whose last layer has another number of classes than the network."""
    assert fit.classes is not None
    return InputError(
        f"The weights in {fit.contents.said} are for {fit.classes[1]:,} classes ({few(list(fit.head))}), not "
        f"{asked:,}: write classes={fit.classes[1]}, or leave classes= out."
    )


def _check_rows(contents: Contents, names: list[str]) -> None:
    """A network is built with as many outputs as the last layer of a file has rows, so that these must be there.

    Raises:
        InputError: the file only says so.
    """
    for name in names:
        tensor = contents.tensors[name]
        if tensor.numel() * tensor.element_size() > contents.path.stat().st_size:
            raise InputError(
                f"{excerpt(name, 80)} in {contents.said} says that it has {tensor.numel():,} numbers, more than the "
                "file holds: save it again."
            )


def _missing(own: Mapping[str, Tensor], match: Match) -> list[str]:
    """Names that the file does not have; a tensor that several modules share may stand in it once."""
    there = {id(own[name]) for name in match.names}
    return [name for name, tensor in own.items() if id(tensor) not in there]


def _is_needed(name: str, own: Mapping[str, Tensor]) -> bool:
    return isinstance(own[name], nn.Parameter) or name.rpartition(".")[2] in STATISTICS


def _one_difference(own: tuple[int, ...], given: tuple[int, ...]) -> tuple[int, int] | None:
    """The two lengths, where shapes differ in the first dimension alone, as those of a last layer do."""
    if len(own) != len(given) or not own or own[0] == given[0] or own[1:] != given[1:]:
        return None
    return own[0], given[0]


def _checked(tensor: Tensor, target: Tensor, name: str, contents: Contents) -> Tensor:
    """A tensor of the file as the network's own type.

    Raises:
        InputError: it has no values, is no plain tensor, is of whole numbers or complex ones where the network has
            others, or is not finite.
    """
    told = f"{excerpt(name, 80)} in {contents.said}"
    if tensor.is_quantized or tensor.layout != torch.strided or tensor.device.type == "meta":
        raise InputError(f"{told} is no plain tensor (quantised, sparse or without values): save the network's own.")
    if target.is_floating_point() != tensor.is_floating_point() or target.is_complex() != tensor.is_complex():
        raise InputError(
            f"{told} holds {str(tensor.dtype).removeprefix('torch.')}, and the network "
            f"{str(target.dtype).removeprefix('torch.')} there: save the network as it was before it was quantised."
        )
    try:
        value = tensor.to(target.dtype)
        finite = not value.is_floating_point() or bool(torch.isfinite(value).all())
    except (RuntimeError, NotImplementedError) as error:
        raise InputError(f"{told} cannot be read: the file is cut short or damaged.") from error
    if not finite:
        raise InputError(
            f"{told} holds NaN or infinite weights, so that no answer of the network means anything: take an earlier "
            "checkpoint, from before the training diverged."
        )
    return value


def _is_same_rounded(tensor: Tensor, own: Tensor, name: str) -> bool:
    """Whether whole numbers of the network lie in the file as real ones, because somebody turned all into these: a
    counter, or the network's own numbers."""
    if own.is_floating_point() or not tensor.is_floating_point():
        return False
    return name.endswith(NO_PART) or torch.equal(own.to(tensor.dtype), tensor)


def _sets(matches: list[Match]) -> str:
    names = [f"key={one.key}" for one in matches if one.key]
    return f"it has {few(names)}" if names else "it has one set, whose names have nothing before them"


def _taken(fit: Fit) -> list[str]:
    key = fit.match.key
    if not fit.others:
        return []
    taken = f"the weights under '{excerpt(key, 60)}'" if key else "the weights whose names have nothing before them"
    return [f"{taken}, not the others in the file, which are taken with {few(f'key={one.key}' for one in fit.others)}"]


def _masked(fit: Fit) -> list[str]:
    return [f"with the masks of torch.nn.utils.prune on {few(fit.held_zero)}"] if fit.held_zero else []


def _converted(kinds: set[torch.dtype]) -> list[str]:
    """Of what was rounded, or had been rounded before."""
    words = {
        torch.float64: "rounded from float64",
        torch.float16: "kept in the file in half precision (float16)",
        torch.bfloat16: "kept in the file in bfloat16, with three digits",
    }
    return [words.get(kind, f"converted from {str(kind).removeprefix('torch.')}") for kind in sorted(kinds, key=str)]


def _kept(own: Mapping[str, Tensor], match: Match) -> list[str]:
    """Buffers that the network computes itself, where the file lacks them."""
    names = [name for name in _missing(own, match) if not name.endswith(NO_PART)]
    return [f"{few(names)} as the network computes them" if names else ""] if names else []


def _left_out(fit: Fit) -> list[str]:
    """Tensors beside the chosen set that are no part of any."""
    used = {full for one in (fit.match, *fit.others) for full in one.names.values()}
    names = [
        name
        for name in fit.contents.tensors
        if name not in used and not name.endswith(NO_PART) and _OF_TRAINING.search(name) is None
    ]
    return [f"without {few(names)}, which are no part of the network"] if names else []


__all__ = [
    "Fit",
    "find_weights",
    "load_state_file",
    "load_weights",
    "other_classes",
    "own_tensors",
    "shape_words",
    "unloaded_buffers",
]
