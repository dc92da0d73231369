"""How images of one's own are prepared for a network: what counts, in which order, and at which size it runs.

What somebody asks for counts first, then what the network's library or weights say, then a default from the images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pruning.base.errors import InputError, PruningError, first_line
from pruning.catalog.network import SEED, Network
from pruning.catalog.openers import parse_reference
from pruning.data.info import DataInfo
from pruning.data.preprocess import IMAGENET, Colour, Preprocess
from pruning.data.readers import describe_data, find_reader
from pruning.graph.inputs import Inputs

CROP = 0.875
"""Share of the shorter side that is kept, where nobody says: 224 of 256."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """How images are prepared for a network."""

    preprocess: Preprocess | None
    """None for images that are as they are."""
    remarks: tuple[str, ...] = ()
    """Who says so, in whole sentences."""
    by_default: bool = False
    """Whether nobody says, so that it is what suits the images; those say so themselves."""


def fit(network: Network, reference: str, given: Preprocess | None = None) -> Fitted:
    """How the images that a reference names are prepared for a network. `given`: what somebody asked for.

    Raises:
        InputError: what was asked for contradicts the network's reference, or there is no such data set.
        DataError: it cannot be told what the images are.
    """
    if not find_reader(reference).is_path:
        return Fitted(preprocess=given)
    if given is not None:
        _check_size(network, given)
        return Fitted(preprocess=given, remarks=(f"Images are prepared as given: {given.words}.",))
    stated = stated_by(network)
    if stated is not None:
        who = "in the run that it comes from" if network.root else "the network's library or weights say"
        return Fitted(preprocess=stated, remarks=(f"Images are prepared as {who}: {stated.words}.",))
    default = describe_data(reference).preprocess
    if default is None:
        return Fitted(preprocess=None)
    adapted = _adapted(default, network)
    if adapted == default:
        return Fitted(preprocess=default, by_default=True)
    words = f"Nobody says how images are prepared for this network: they are brought to what it takes, {adapted.words}."
    return Fitted(preprocess=adapted, remarks=(words,))


def stated_by(network: Network) -> Preprocess | None:
    """What a network's library, its weights, or the published images that it learnt from say; None: nobody says."""
    found = network.preprocess
    if found is None and network.data:
        found = _of_published(network.data[0])
    size = _size_asked(network)
    if found is None or size is None or found.size == (size, size):
        return found
    resize = None if found.resize is None else max(size, round(found.resize * size / max(found.size)))
    return found.replace(size=(size, size), resize=resize)


def names_of(network: Network) -> tuple[tuple[str, ...], ...]:
    """Of each output the names of its class, as its library, its weights or the images that it learnt from say; empty
    where nobody says."""
    if network.classes or not network.data:
        return network.classes
    try:
        if find_reader(network.data[0]).is_path:
            return ()
        return tuple((name,) for name in describe_data(network.data[0]).classes)
    except PruningError:
        return ()


def sample_shape(network: Network) -> tuple[int, ...] | None:
    """Shape of one image that a network is opened for; None where it takes something else."""
    try:
        return Inputs.of(network.example_inputs).sample_shape
    except PruningError:
        return None


def at_shape(network: Network, shape: Sequence[int]) -> Network:
    """The network, opened for images of this shape: itself, unless the size it is opened for was only guessed.

    Raises:
        InputError: it cannot take them.
    """
    wanted = tuple(shape)
    if not network.any_size or sample_shape(network) == wanted:
        return network
    own = sample_shape(network)
    if own is not None and len(own) == 3 and own[0] not in (1, 3):
        raise InputError(
            f"{network.title} takes {own[0]:,} channels, and images have 1 (grey) or 3 (RGB): give a network "
            "that takes as many."
        )
    images = _random_images(network.model, wanted)
    try:
        with torch.no_grad():
            network.model(images)
    except Exception as error:  # a network of somebody else raises anything
        across = "×".join(map(str, wanted))
        raise InputError(
            f"{network.title} cannot take images of {across} ({first_line(error)}): say the size that it was made for "
            "with size=PIXELS in its reference, and images are brought to it."
        ) from error
    return replace(network, example_inputs=images)


def output_shape(network: Network) -> tuple[int, ...]:
    """Shape of what a network puts out for its example inputs, images first.

    Raises:
        InputError: it fails on them, or gives something other than a tensor.
    """
    try:
        with torch.no_grad():
            found = Inputs.of(network.example_inputs).call(network.model)
    except PruningError:
        raise
    except Exception as error:
        raise InputError(f"{network.title} fails on example inputs ({first_line(error)}).") from error
    if not isinstance(found, Tensor):
        raise InputError(
            f"{network.title} gives {_kind(found)} for a batch of images, not a tensor with one number a class: let "
            "forward return that alone in eval mode."
        )
    return tuple(found.shape)


def _kind(value: object) -> str:
    many = f" of {len(value)}" if isinstance(value, tuple | list | dict) else ""
    return f"a {type(value).__name__}{many}"


def _random_images(model: nn.Module, shape: Sequence[int]) -> Tensor:
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(SEED)).to(dtype)


def _size_asked(network: Network) -> int | None:
    """`size=` of a network's reference."""
    try:
        return parse_reference(network.ref).size if network.ref else None
    except PruningError:
        return None


def _check_size(network: Network, given: Preprocess) -> None:
    size = _size_asked(network)
    if size is not None and given.size != (size, size):
        raise InputError(
            f"{network.ref} says size={size}, but the images are to be {given.size[0]}×{given.size[1]}: give one size, "
            "or the same twice."
        )


def _of_published(reference: str) -> Preprocess | None:
    """How the images of a published data set look to a network: as they are."""
    try:
        if find_reader(reference).is_path:
            return None
        info: DataInfo = describe_data(reference)
    except PruningError:
        return None
    colour: Colour = "grey" if info.shape[0] == 1 else "rgb"
    return Preprocess(size=info.shape[1:], colour=colour, mean=info.mean, std=info.std)


def _adapted(default: Preprocess, network: Network) -> Preprocess:
    """The default for images, at the size and with the channels that a network is known to take."""
    shape = sample_shape(network)
    if shape is None or len(shape) != 3 or shape[0] not in (1, 3):
        return default
    channels, height, width = shape
    if channels == 3 != default.channels:  # as ImageFolder and ImageNet's numbers show grey images to a network
        default = default.replace(colour="rgb", mean=IMAGENET["mean"], std=IMAGENET["std"])
    elif channels != default.channels:
        mean, std = ((sum(numbers) / len(numbers),) for numbers in (default.mean, default.std))
        default = default.replace(colour="grey", mean=mean, std=std)
    if network.any_size or (height, width) == default.size:
        return default
    same_aspect = default.resize is None and height * default.size[1] == width * default.size[0]
    resize = None if same_aspect else int(max(height, width) / CROP)
    return default.replace(size=(height, width), resize=resize)
