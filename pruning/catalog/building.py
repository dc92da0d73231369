"""From what builds a network to a `Network`: random weights, the library's own, or those of a file."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pruning.base.errors import InputError, PruningError, first_line
from pruning.base.files import given_path
from pruning.catalog.class_names import Classes, named_in
from pruning.catalog.network import RANDOM, SEED, Network
from pruning.catalog.offline import fetching, reason_of
from pruning.catalog.preparation import of_checkpoint
from pruning.catalog.references import Reference
from pruning.catalog.weights.contents import Contents, read_contents
from pruning.catalog.weights.loading import Fit, find_weights, load_weights, other_classes, own_tensors
from pruning.data.preprocess import Preprocess

MOST_SETS = 20
"""Of weights in a file, that are tried to be converted."""


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """A network of a library that is not built yet."""

    reference: Reference
    title: str
    build: Callable[[int | None, bool], nn.Module]
    """The number of outputs, None for the library's own, and whether with the library's default weights → the model."""
    example: Callable[[nn.Module], Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What the library's builder is given beside the number of classes and what keeps weights from being fetched."""
    origin: str = ""
    """What its default weights are, such as "torchvision's default, IMAGENET1K_V1"; '' where it has none."""
    stated: float | None = None
    """Top-1 accuracy that the library states for its default weights, as a fraction; None where it states none."""
    preprocess: Preprocess | None = None
    convert: Callable[[nn.Module, Mapping[str, Tensor]], Mapping[str, Tensor]] | None = None
    """Of a built model and tensors by name, these under the library's own names, where they are those of the code that
    the network was first published with."""
    classes: Callable[[nn.Module], Classes] = lambda _: ()
    """Of a built model, the names of its classes, as far as it has the library's own outputs."""


def assemble(plan: Blueprint) -> Network:
    """Build a network with the weights that its reference asks for.

    Raises:
        InputError: the library cannot build it so, its weights cannot be fetched, or those of a file do not fit.
    """
    reference = plan.reference
    if reference.weights is None:
        return _network(plan, _built(plan, reference.classes), RANDOM, untrained=True)
    if reference.weights == "default":
        return _with_default_weights(plan)
    contents, fit, key = _found(plan, read_contents(given_path(reference.weights)))
    classes = reference.classes
    if fit.classes is not None:
        if classes is not None:
            raise other_classes(fit, classes)
        classes = fit.classes[1]
    model = _built(plan, classes)
    fit = find_weights(model, contents, key)
    words = load_weights(model, fit)
    return _network(plan, model, _from_file(reference, words, classes, fit), fit=fit, read=classes)


def _found(plan: Blueprint, contents: Contents) -> tuple[Contents, Fit, str | None]:
    """The weights in a file that are the network's, under the library's names or those that it knows to convert; and
    the key of their set.

    Raises:
        InputError: there are none.
    """
    model, key = outline(plan, plan.reference.classes), plan.reference.key
    try:
        return contents, find_weights(model, contents, key), key
    except InputError as refusal:
        convert = plan.convert
        if convert is None:
            raise
        for tensors in _sets(contents.tensors, key):
            with contextlib.suppress(Exception):  # a conversion meets names that it does not expect
                converted = replace(contents, tensors=convert(model, tensors))
                return converted, find_weights(model, converted), None
        raise refusal


def _sets(tensors: Mapping[str, Tensor], key: str | None) -> Iterator[dict[str, Tensor]]:
    """Tensors below a key; without one all of them, and those below each name that several begin with."""
    starts = [key] if key else ["", *dict.fromkeys(name.partition(".")[0] for name in tensors)]
    for start in starts[:MOST_SETS]:
        before = f"{start}." if start else ""
        below = {name.removeprefix(before): tensor for name, tensor in tensors.items() if name.startswith(before)}
        if all(name.startswith("module.") for name in below):
            below = {name.removeprefix("module."): tensor for name, tensor in below.items()}
        yield below


def outline(plan: Blueprint, classes: int | None) -> nn.Module:
    """The model without numbers, where it can be built so; its shapes are what counts."""
    try:
        return without_numbers(plan, classes)
    except PruningError:
        return _built(plan, classes)


def without_numbers(plan: Blueprint, classes: int | None) -> nn.Module:
    """The model's shapes alone. Raises InputError where it cannot be built so."""
    with _WeightsWithoutNumbers():
        return _built(plan, classes).to("meta")


class _WeightsWithoutNumbers(TorchFunctionMode):
    """What layers make room for with `torch.empty` lies on the meta device: neither room nor numbers are needed. All
    else is as it is, since libraries compute widths and depths with tensors."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        if func is torch.empty and given.get("device") is None:
            given["device"] = "meta"
        return func(*args, **given)


@contextlib.contextmanager
def seeded() -> Iterator[None]:
    """The same random weights each time, without touching the caller's random state; no warnings."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(SEED)
        yield


def random_images(*shape: int) -> Tensor:
    """A batch of two samples of that shape, the same each time."""
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(SEED))


def _with_default_weights(plan: Blueprint) -> Network:
    """With the library's weights; where another number of classes is asked for, all but the last layer has them."""
    name = plan.title.partition(" ")[0]
    try:
        with seeded(), fetching():
            trained = plan.build(None, True)
    except Exception as error:  # a library's own errors, and those of whatever it downloads with
        raise InputError(
            f"The default weights of {plan.reference.kind}:{name} could not be fetched ({reason_of(error)}): check "
            "the connection, give weights=FILE, or leave weights= out for random ones."
        ) from error
    if plan.reference.classes is None:
        return replace(_network(plan, trained, plan.origin), stated=plan.stated)
    model = _built(plan, plan.reference.classes)
    source, random = own_tensors(trained), []
    with torch.no_grad():
        for key, tensor in own_tensors(model).items():
            if key in source and source[key].shape == tensor.shape:
                tensor.copy_(source[key])
            else:
                random.append(key)
    if not random:
        return _network(plan, model, plan.origin)
    words = f"{plan.origin}, but for the last layer ({', '.join(random[:4])}), which is {RANDOM}"
    return _network(plan, model, words, untrained=True)


def _built(plan: Blueprint, classes: int | None) -> nn.Module:
    try:
        with seeded():
            return plan.build(classes, False)
    except InputError:
        raise
    except Exception as error:
        reference = plan.reference
        size = f" with images of {reference.size} pixels" if reference.size else ""
        many = f" with {classes:,} classes" if classes is not None else ""
        name = plan.title.partition(" ")[0]
        raise InputError(f"{reference.kind} cannot build {name}{size}{many} ({first_line(error)}).") from error


def _from_file(reference: Reference, words: str, classes: int | None, fit: Fit) -> str:
    read = f"{classes:,} classes, as its last layer has" if reference.classes is None and classes is not None else ""
    return "; ".join(part for part in (f"from {given_path(str(reference.weights))}", read, words) if part)


def _network(
    plan: Blueprint,
    model: nn.Module,
    weights: str,
    *,
    untrained: bool = False,
    fit: Fit | None = None,
    read: int | None = None,
) -> Network:
    """`read`: the number of classes that the weights had, so that the network opens with it when they are gone."""
    reference = plan.reference
    names = named_in(fit.values, _outputs(fit)) if fit is not None else ()
    text = reference.text
    if read is not None and reference.classes is None:
        text = reference.spelled(name=reference.name, weights=reference.weights, classes=read)
    return Network(
        ref=text,
        title=plan.title,
        model=model.eval(),
        example_inputs=plan.example(model),
        weights=weights,
        untrained=untrained,
        preprocess=(of_checkpoint(fit.values, reference.size) if fit is not None else None) or plan.preprocess,
        classes=names or plan.classes(model),
        held_zero=() if fit is None else fit.held_zero,
    )


def _outputs(fit: Fit) -> int | None:
    """Outputs of the last layer, as the file has them."""
    last = list(fit.match.names.values())[-1:]
    shapes = [fit.contents.tensors[name].shape for name in last]
    return int(shapes[0][0]) if shapes and len(shapes[0]) else None
