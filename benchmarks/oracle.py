"""An independent judge of removals: does the smaller network compute what the dense one does without those channels?

It knows nothing of channel groups. In a copy of the dense network every removed entry of every parameter and buffer
becomes NaN, so that what depends on removed entries marks itself as the data flows: moves and elementwise calls carry
the marks by themselves. Only the calls that mix values along a dimension need a rule:

- contractions (convolution, matrix product, attention) take a removed value as zero;
- normalisations, means, softmax and the like work over the survivors only;
- a result of which every term is removed is removed itself, and so are zeros added around a removed map.

The smaller network must agree with that at the input of every convolution and linear layer and at the output, in
float64, for two batch sizes. As a control, the same network with the indices one further on must differ.
"""

from __future__ import annotations

import contextlib
import copy
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune
from torch.nn.utils.weight_norm import WeightNorm
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

TOLERANCE = 1e-9
"""Largest difference that counts as equal, relative to the largest absolute value compared."""
NAN = float("nan")
Kept = Mapping[str, Mapping[int, list[int]]]
"""Parameter or buffer → dimension → kept original indices; every tensor that shrank."""
CONVS = nn.modules.conv._ConvNd
TRANSPOSED = nn.modules.conv._ConvTransposeNd


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the oracle found."""

    outcome: Literal["exact", "wrong", "crash", "not_comparable"]
    reason: str = ""
    max_error: float | None = None
    """Largest relative difference at any layer's input and at the output."""
    places: int = 0
    """Layer inputs and outputs compared."""
    control: float | None = None
    """Relative difference at the output with the indices rolled by one: must exceed the tolerance."""


class NotComparableError(Exception):
    """The masked model is not defined, or cannot be run."""


@torch.no_grad()
def judge(dense: nn.Module, removed: nn.Module, example_inputs: Any, kept: Kept) -> Verdict:
    """Compare a removed model with the masked one that `kept` defines; neither model is changed."""
    args, kwargs = as_call(example_inputs)
    if not kept:
        return Verdict(outcome="not_comparable", reason="nothing was removed")
    kept = _under_all_names(dense, kept)
    with plain_attention():
        small = copied(removed).eval()
        try:
            small(*args, **kwargs)
        except Exception as error:
            return Verdict(outcome="crash", reason=brief(error))
        complaint = _shapes_disagree(dense, small, kept)
        if complaint:
            return Verdict(outcome="wrong", reason=complaint)
        small = effective(small)[0].double()
        masked, marked = effective(copied(dense).eval(), kept)
        masked.double()
        given, tensors = named(dense), named(masked)
        originals = {name: given[name] if name in given else tensors[name].detach().clone() for name in marked}
        _mark(masked, marked)
        worst, places, control = 0.0, 0, None
        rows = _batch(args, kwargs)
        try:
            for batch in (rows, rows + 1):
                inputs = randomised((args, kwargs), batch)
                pairs = _compared(masked, small, inputs, marked)
                for where, wanted, got in pairs:
                    distance = relative(wanted, got)
                    if distance > TOLERANCE:
                        return Verdict(
                            outcome="wrong",
                            reason=f"{where}, batch {batch}: {describe(wanted, got, distance)}",
                            max_error=distance,
                            places=places,
                        )
                    worst, places = max(worst, distance), places + 1
            control = _control(small, inputs, originals, marked)
        except NotComparableError as error:
            return Verdict(outcome="not_comparable", reason=str(error), max_error=worst, places=places)
    if control <= TOLERANCE:
        reason = "other channels give the same output, so equality proves nothing"
        return Verdict(outcome="not_comparable", reason=reason, max_error=worst, places=places, control=control)
    return Verdict(outcome="exact", max_error=worst, places=places, control=control)


def runs_in_training(dense: nn.Module, removed: nn.Module, example_inputs: Any) -> str:
    """Why the removed model does not run in train mode although the dense one does; empty where it does."""
    args, kwargs = as_call(example_inputs)
    shapes = []
    for model in (dense, removed):
        try:
            with torch.no_grad():
                output = copied(model).train()(*args, **kwargs)
            shapes.append([tuple(leaf.shape) for leaf in pytree.tree_leaves(output) if isinstance(leaf, Tensor)])
        except Exception as error:
            return f"in train mode: {brief(error)}" if shapes else ""
    return "" if shapes[0] == shapes[1] else f"in train mode: outputs {shapes[1]} instead of {shapes[0]}"


def kept_by_value(dense: nn.Module, removed: nn.Module) -> dict[str, dict[int, list[int]]]:
    """Which indices a removal kept, read off the values that are left: for tools that do not say.

    Each remaining value is looked up among those of the dense tensor; every index takes the place that most of its
    values come from. Works in any order of indices; the values must be distinct and unchanged.

    Raises:
        NotComparableError: a tensor's values are not those of the dense one, or equal ones stand in a vector.
    """
    kept: dict[str, dict[int, list[int]]] = {}
    small = named(removed)
    for name, before in named(dense).items():
        after = small.get(name)
        if after is None or after.shape == before.shape:
            continue
        if after.dim() != before.dim() or any(a > b for a, b in zip(after.shape, before.shape, strict=True)):
            raise NotComparableError(f"{name} went from {tuple(before.shape)} to {tuple(after.shape)}")
        before, after = before.detach(), after.detach()
        values, order = before.reshape(-1).sort(stable=True)
        found = torch.searchsorted(values, after.reshape(-1).contiguous()).clamp_max(len(values) - 1)
        twins = values[found[found < len(values) - 1] + 1] == values[found[found < len(values) - 1]]
        if before.squeeze().dim() <= 1 and bool(twins.any()):
            raise NotComparableError(f"{name} has equal values, which cannot be told apart")
        flat = order[found]
        places = torch.unravel_index(flat.reshape(after.shape), before.shape)
        dims: dict[int, list[int]] = {}
        gathered = before
        for dim, place in enumerate(places):
            if after.shape[dim] < before.shape[dim]:
                dims[dim] = place.movedim(dim, 0).reshape(after.shape[dim], -1).mode(1).values.tolist()
                gathered = gathered.index_select(dim, torch.tensor(dims[dim]))
        if not torch.equal(gathered, after):
            raise NotComparableError(f"the values of {name} are not among those it had")
        kept[name] = dims
    return kept


# ---- models and inputs


def copied(model: nn.Module) -> nn.Module:
    """A deep copy, also where hooks compute weights that deepcopy refuses."""
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, Tensor) and value.grad_fn is not None:
                memo[id(value)] = value.detach().clone()
    return copy.deepcopy(model, memo)


def named(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name, tied ones under each of their names."""
    return {**dict(model.named_parameters(remove_duplicate=False)), **dict(model.named_buffers(remove_duplicate=False))}


def effective(model: nn.Module, kept: Kept | None = None) -> tuple[nn.Module, dict[str, dict[int, list[int]]]]:
    """Replace reparametrised weights (weight_norm, masks, ...) by their value, in place, and rename them in `kept`."""
    shapes = {name: tensor.shape for name, tensor in named(model).items()}
    marked = {name: {dim: list(index) for dim, index in dims.items()} for name, dims in (kept or {}).items()}
    for path, module in list(model.named_modules()):
        start = f"{path}." if path else ""
        sources: dict[str, list[str]] = {}
        if parametrize.is_parametrized(module):
            for weight in list(module.parametrizations):
                prefix = f"{start}parametrizations.{weight}."
                sources[weight] = [name for name in shapes if name.startswith(prefix)]
                parametrize.remove_parametrizations(module, weight, leave_parametrized=True)
        for number, hook in list(module._forward_pre_hooks.items()):
            if isinstance(hook, WeightNorm):
                sources[hook.name] = [f"{start}{hook.name}_g", f"{start}{hook.name}_v"]
                hook.remove(module)
                del module._forward_pre_hooks[number]
            elif isinstance(hook, prune.BasePruningMethod):
                weight = hook._tensor_name
                sources[weight] = [f"{start}{weight}_orig", f"{start}{weight}_mask"]
                prune.remove(module, weight)
        for weight, names in sources.items():
            shape = getattr(module, weight).shape
            dims: dict[int, list[int]] = {}
            for name in names:
                found = marked.pop(name, {})
                dims.update({dim: index for dim, index in found.items() if shapes[name][dim] == shape[dim]})
            if dims:
                marked[start + weight] = dims
    return model, marked


def as_call(example_inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments: a tensor, a tuple of arguments, or a dict of keyword arguments."""
    if isinstance(example_inputs, Mapping):
        return (), dict(example_inputs)
    return (tuple(example_inputs) if isinstance(example_inputs, tuple | list) else (example_inputs,)), {}


def _batch(args: Any, kwargs: Any) -> int:
    return next(leaf.shape[0] for leaf in pytree.tree_leaves((args, kwargs)) if isinstance(leaf, Tensor))


def randomised(call: tuple[Any, Any], batch: int) -> tuple[Any, Any]:
    """The same arguments with another batch size: normal random floats, repeated rows of anything else."""
    generator, rows = torch.Generator().manual_seed(1000 + batch), _batch(*call)

    def draw(tensor: Tensor) -> Tensor:
        if tensor.dim() == 0 or tensor.shape[0] != rows:
            return tensor.double() if tensor.is_floating_point() else tensor
        if tensor.is_floating_point():
            return torch.randn(batch, *tensor.shape[1:], dtype=torch.float64, generator=generator)
        return tensor[torch.arange(batch) % rows]

    return pytree.tree_map_only(Tensor, draw, call)  # type: ignore[no-any-return]


@contextlib.contextmanager
def plain_attention() -> Iterator[None]:
    """Attention through its single calls instead of the fused fast path, which hides them."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _shapes_disagree(dense: nn.Module, small: nn.Module, kept: Kept) -> str:
    """The first tensor whose shape is not what `kept` says, as a sentence."""
    after = named(small)
    for name, before in named(dense).items():
        if name not in after:
            continue
        dims = kept.get(name, {})
        wanted = tuple(len(dims[dim]) if dim in dims else size for dim, size in enumerate(before.shape))
        if tuple(after[name].shape) != wanted:
            return f"{name} has shape {tuple(after[name].shape)}, but the kept indices say {wanted}"
    return ""


def _under_all_names(model: nn.Module, kept: Kept) -> Kept:
    """`kept` with tied tensors under each of their names."""
    tensors = named(model)
    known = {id(tensors[name]): dims for name, dims in kept.items()}
    return {name: known[id(tensor)] for name, tensor in tensors.items() if id(tensor) in known}


def _mark(model: nn.Module, kept: Kept) -> None:
    """Make every removed entry NaN."""
    tensors = named(model)
    for name, dims in kept.items():
        tensor = tensors[name]
        for dim, index in dims.items():
            gone = torch.ones(tensor.shape[dim], dtype=torch.bool)
            gone[torch.tensor(index, dtype=torch.long)] = False
            if tensor.is_floating_point():
                tensor.data.index_fill_(dim, gone.nonzero().reshape(-1), NAN)


# ---- the comparison


def _compared(masked: nn.Module, small: nn.Module, inputs: Any, kept: Kept) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(place, expected survivors, what the small model has) for each layer's input, then for each output."""
    found = _run(small, inputs, _Double(), "the smaller network")
    wanted = _run(masked, inputs, _Survivors(), "the masked network")
    tensors = named(masked)
    for name, expected in wanted[0].items():
        actual = found[0].get(name, [])
        if len(expected) != len(actual):
            continue  # the two take different ways through their code: the output decides
        layer, weight = masked.get_submodule(name), f"{name}.weight" if name else "weight"
        index = kept.get(weight, {}).get(0 if isinstance(layer, TRANSPOSED) else 1)
        index = index if getattr(layer, "groups", 1) == 1 else None
        for call, (one, other) in enumerate(zip(expected, actual, strict=True)):
            place = f"the input of {name}" + f" (call {call + 1})" * (call > 0)
            yield place, _alive(one, 1 - tensors[weight].dim(), index), other
    for number, (one, other) in enumerate(zip(wanted[1], found[1], strict=False)):
        yield f"output {number}", one, other
    if len(wanted[1]) != len(found[1]):
        yield "the number of outputs", torch.tensor([len(wanted[1])]), torch.tensor([len(found[1])])


def _run(model: nn.Module, inputs: Any, mode: _Double, what: str) -> tuple[dict[str, list[Tensor]], list[Tensor]]:
    """Inputs of all convolutions and linear layers, and the outputs."""
    seen: dict[str, list[Tensor]] = defaultdict(list)
    handles = []
    for name, module in model.named_modules():
        if isinstance(module, CONVS | nn.Linear):

            def note(_: nn.Module, args: tuple[Any, ...], name: str = name) -> None:
                with mode.paused():
                    seen[name] += [arg.detach().clone() for arg in args[:1]]

            handles.append(module.register_forward_pre_hook(note))
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # constants that the code makes
    try:
        with mode:
            output = model(*pytree.tree_map_only(Tensor, Tensor.clone, inputs[0]), **inputs[1])
    except NotComparableError:
        raise
    except Exception as error:
        raise NotComparableError(f"{what} does not run in float64: {brief(error)}") from error
    finally:
        torch.set_default_dtype(before)
        for handle in handles:
            handle.remove()
    return seen, [leaf for leaf in pytree.tree_leaves(output) if isinstance(leaf, Tensor) and leaf.is_floating_point()]


def _alive(tensor: Tensor, channel: int, index: list[int] | None) -> Tensor:
    """What is left of a marked value: along its channels the kept indices, elsewhere whatever is not all NaN."""
    channel %= tensor.dim()
    if index is not None:
        tensor = tensor.index_select(channel, torch.tensor(index, dtype=torch.long))
    gone = tensor.isnan()
    if not bool(gone.any()):
        return tensor
    for dim in range(tensor.dim()):
        if dim == channel and index is not None:
            continue
        others = [d for d in range(tensor.dim()) if d != dim]
        stay = ~(gone.all(others) if others else gone)
        tensor, gone = (side.index_select(dim, stay.nonzero().reshape(-1)) for side in (tensor, gone))
    return tensor


def relative(wanted: Tensor, got: Tensor) -> float:
    """Largest difference over the largest absolute value; infinite where shapes differ or a removed value is left."""
    if wanted.shape != got.shape or bool(wanted.isnan().any()) or bool(got.isnan().any()):
        return float("inf")
    if not wanted.numel():
        return 0.0
    scale = max(float(wanted.abs().max()), float(got.abs().max()), 1e-300)
    return float((wanted - got).abs().max()) / scale


def describe(wanted: Tensor, got: Tensor, distance: float) -> str:
    if wanted.shape != got.shape:
        return f"shape {tuple(got.shape)} instead of {tuple(wanted.shape)}"
    if bool(wanted.isnan().any()):
        return "removed values are still needed there"
    return f"differs by a relative {distance:.1e}"


def _control(small: nn.Module, inputs: Any, originals: Mapping[str, Tensor], kept: Kept) -> float:
    """How far the output moves when the small network gets the channels one further on. `small` is changed."""
    before = _run(small, inputs, _Double(), "the smaller network")[1]
    tensors = named(small)
    for name, dims in kept.items():
        data = originals[name]
        for dim, index in dims.items():
            data = data.index_select(dim, (torch.tensor(index, dtype=torch.long) + 1) % data.shape[dim])
        if name in tensors:
            tensors[name].data.copy_(data)
    after = _run(small, inputs, _Double(), "the control")[1]
    return max((relative(a, b) for a, b in zip(before, after, strict=True)), default=0.0)


def brief(error: BaseException) -> str:
    """Kind and first line of an error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:240] if lines else ''}"


# ---- running a model whose removed entries are NaN


class _Double(TorchDispatchMode):
    """Runs everything in float64, also where the code asks for a narrower float type."""

    _off = False

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        self._off = True
        try:
            yield
        finally:
            self._off = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if self._off:
            return func(*args, **kwargs)
        if kwargs.get("dtype") in (torch.float16, torch.bfloat16, torch.float32):
            kwargs["dtype"] = torch.float64
        return self.call(func, args, kwargs)

    def call(self, func: Any, args: Any, kwargs: Any) -> Any:
        return func(*args, **kwargs)


class _Survivors(_Double):
    """The same, where NaN marks what is removed: RULES for the calls that mix values."""

    def call(self, func: Any, args: Any, kwargs: Any) -> Any:
        name = func._overloadpacket.__name__
        rule = RULES.get(name)
        if rule is None and name not in MIXING:
            return func(*args, **kwargs)
        tensors = [t for t in pytree.tree_leaves((args, kwargs)) if isinstance(t, Tensor) and t.is_floating_point()]
        if not any(bool(tensor.isnan().any()) for tensor in tensors):
            return func(*args, **kwargs)
        if rule is None:
            raise NotComparableError(f"removed channels reach {name}, for which no masked form is defined")
        given = {parameter.name: value for parameter, value in zip(func._schema.arguments, args, strict=False)}
        named_args = {parameter.name: parameter.default_value for parameter in func._schema.arguments}
        return rule(func, {**named_args, **given, **kwargs})


Rule = Callable[[Any, dict[str, Any]], Any]


def _zeroed(tensor: Tensor) -> Tensor:
    return tensor.nan_to_num(nan=0.0, posinf=float("inf"), neginf=float("-inf"))


def _dead(tensor: Tensor, keep: int) -> Tensor:
    """Which indices of a dimension are removed: NaN all along the others."""
    return (
        tensor.isnan().all(tuple(d for d in range(tensor.dim()) if d != keep)) if tensor.dim() > 1 else tensor.isnan()
    )


def _convolution(func: Any, a: dict[str, Any]) -> Tensor:
    """An output channel of which every term is removed is removed."""
    x, weight, groups = a["input"], a["weight"], a["groups"]
    out = func(*[_zeroed(value) if name in ("input", "weight") else value for name, value in a.items()])
    alive_in = ~_dead(x, 1).view(groups, -1)
    entries = (~weight.isnan()).flatten(2).any(2)  # out × in/groups, or transposed: in × out/groups
    if a["transposed"]:
        alive = (alive_in[:, :, None] & entries.view(groups, -1, entries.shape[1])).any(1).reshape(-1)
    else:
        alive = (alive_in[:, None] & entries.view(groups, -1, entries.shape[1])).any(2).reshape(-1)
    return out.index_fill(1, (~alive).nonzero().reshape(-1), NAN)


def _product(a: Tensor, b: Tensor) -> Tensor:
    """Matrix product, also of batches: removed terms are zero, a result without terms is removed."""
    out = torch.matmul(_zeroed(a), _zeroed(b))
    gone_a, gone_b = a.isnan(), b.isnan()
    rows, columns = gone_a.all(-1), gone_b.all(-2)
    inner_a = (gone_a | rows[..., None]).all(-2) & ~rows.all(-1)[..., None]
    inner_b = (gone_b | columns[..., None, :]).all(-1) & ~columns.all(-1)[..., None]
    rows = (gone_a | inner_b[..., None, :]).all(-1)
    columns = (gone_b | inner_a[..., None]).all(-2)
    return out.masked_fill(rows[..., None] | columns[..., None, :], NAN)


def _pad(func: Any, a: dict[str, Any]) -> Tensor:
    """What is added along other dimensions to a removed channel is removed too."""
    x, pad, out = a["self"], a["pad"], func(*a.values())
    for dim in range(x.dim()):
        start = 2 * (x.dim() - 1 - dim)  # pairs, the last dimension first
        if not any(pad[start : start + 2]):
            out = out.index_fill(dim, _dead(x, dim).nonzero().reshape(-1), NAN)
    return out


def _matrices(first: str, second: str) -> Rule:
    def rule(func: Any, a: dict[str, Any]) -> Tensor:
        one, other = a[first], a[second]
        if func._overloadpacket.__name__ in ("mv", "addmv"):
            out = _product(one, other[:, None])[:, 0]
        elif func._overloadpacket.__name__ == "dot":
            out = _product(one[None], other[:, None])[0, 0]
        else:
            out = _product(one, other)
        if first == "self":
            return out
        return a["beta"] * a["self"] + a["alpha"] * out

    return rule


def _attention(func: Any, a: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """The scale counts the survivors of a head."""
    query, key, value, mask = a["query"], a["key"], a["value"], a.get("attn_mask")
    left = (~query.isnan()).sum(-1).amax(-1).clamp_min(1)[..., None, None]
    scale = a["scale"] if a.get("scale") is not None else left**-0.5
    scores = _product(query, key.transpose(-2, -1)) * scale
    if a["is_causal"]:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), float("-inf"))
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
    return _product(_softmax_over(scores, -1), value), scores.new_zeros(scores.shape[:-1])


def _softmax_over(x: Tensor, dim: int) -> Tensor:
    gone = x.isnan()
    return x.masked_fill(gone, float("-inf")).softmax(dim).masked_fill(gone, NAN)


def _softmax(func: Any, a: dict[str, Any]) -> Tensor:
    return _softmax_over(a["self"], a["dim"])


def _log_softmax(func: Any, a: dict[str, Any]) -> Tensor:
    gone = a["self"].isnan()
    return a["self"].masked_fill(gone, float("-inf")).log_softmax(a["dim"]).masked_fill(gone, NAN)


def _moments(x: Tensor, dims: Any, correction: float = 0) -> tuple[Tensor, Tensor]:
    """Mean and variance over the survivors, dimensions kept."""
    mean = x.nanmean(dims, keepdim=True)
    count = (~x.isnan()).sum(dims, keepdim=True)
    variance = ((x - mean) ** 2).nansum(dims, keepdim=True) / (count - correction).clamp_min(0)
    return mean, variance.masked_fill(count == 0, NAN)


def _layer_norm(func: Any, a: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    x = a["input"]
    mean, variance = _moments(x, tuple(range(-len(a["normalized_shape"]), 0)))
    rate = (variance + a["eps"]).rsqrt()
    return _affine((x - mean) * rate, a["weight"], a["bias"]), mean, rate


def _affine(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _group_norm(func: Any, a: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    x = a["input"]
    grouped = x.reshape(x.shape[0], a["group"], -1)
    mean, variance = _moments(grouped, -1)
    rate = (variance + a["eps"]).rsqrt()
    out = ((grouped - mean) * rate).reshape(x.shape)
    tail = (1,) * (x.dim() - 2)
    weight, bias = (None if v is None else v.reshape(-1, *tail) for v in (a["weight"], a["bias"]))
    return _affine(out, weight, bias), mean[..., 0], rate[..., 0]


def _rms_norm(func: Any, a: dict[str, Any]) -> tuple[Tensor, Tensor]:
    x = a["input"]
    eps = a["eps"] if a["eps"] is not None else torch.finfo(x.dtype).eps
    rate = ((x * x).nanmean(tuple(range(-len(a["normalized_shape"]), 0)), keepdim=True) + eps).rsqrt()
    return _affine(x * rate, a["weight"], None), rate


def _batch_norm(func: Any, a: dict[str, Any]) -> Any:
    if not a.get("training", a.get("train")):
        return func(*a.values())
    x = a["input"]
    mean, variance = _moments(x, [d for d in range(x.dim()) if d != 1])
    rate = (variance + a["eps"]).rsqrt()
    tail = (1,) * (x.dim() - 2)
    weight, bias = (None if v is None else v.reshape(-1, *tail) for v in (a["weight"], a["bias"]))
    return _affine((x - mean) * rate, weight, bias), mean.reshape(-1), rate.reshape(-1)


def _dims(a: dict[str, Any]) -> tuple[int, ...]:
    dims = a.get("dim")
    if dims is None or dims == []:
        return tuple(range(a["self"].dim()))
    return tuple(dims) if isinstance(dims, list | tuple) else (dims,)


def _filled(value: float) -> Rule:
    """A reduction that leaves an operand out by giving it a neutral value."""

    def rule(func: Any, a: dict[str, Any]) -> Any:
        x = a["self"]
        gone = x.isnan().all(_dims(a), keepdim=bool(a.get("keepdim")))
        arguments = dict(a, self=x.masked_fill(x.isnan(), value))
        result = func(*[v for n, v in arguments.items() if n != "dtype"])
        if isinstance(result, tuple):
            return (result[0].masked_fill(gone, NAN), *result[1:])
        return result.masked_fill(gone, NAN)

    return rule


def _mean(func: Any, a: dict[str, Any]) -> Tensor:
    return a["self"].nanmean(_dims(a), keepdim=bool(a.get("keepdim")))  # type: ignore[no-any-return]


def _spread(func: Any, a: dict[str, Any]) -> Any:
    correction = a.get("correction")
    if correction is None:
        correction = 0 if a.get("unbiased") is False else 1
    mean, variance = _moments(a["self"], _dims(a), correction)
    if not a.get("keepdim"):
        mean, variance = (side.squeeze(_dims(a)) for side in (mean, variance))
    name = func._overloadpacket.__name__
    value = variance if name.startswith("var") else variance.sqrt()
    return (value, mean) if name.endswith("_mean") else value


RULES: dict[str, Rule] = {
    "convolution": _convolution,
    "constant_pad_nd": _pad,
    "mm": _matrices("self", "mat2"),
    "bmm": _matrices("self", "mat2"),
    "mv": _matrices("self", "vec"),
    "dot": _matrices("self", "tensor"),
    "addmm": _matrices("mat1", "mat2"),
    "addmv": _matrices("mat", "vec"),
    "baddbmm": _matrices("batch1", "batch2"),
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "_softmax": _softmax,
    "_safe_softmax": _softmax,
    "_log_softmax": _log_softmax,
    "native_layer_norm": _layer_norm,
    "native_group_norm": _group_norm,
    "_fused_rms_norm": _rms_norm,
    "native_batch_norm": _batch_norm,
    "sum": _filled(0.0),
    "linalg_vector_norm": _filled(0.0),
    "norm": _filled(0.0),
    "amax": _filled(float("-inf")),
    "amin": _filled(float("inf")),
    "max": _filled(float("-inf")),
    "min": _filled(float("inf")),
    "logsumexp": _filled(float("-inf")),
    "prod": _filled(1.0),
    "mean": _mean,
    "var": _spread,
    "std": _spread,
    "var_mean": _spread,
    "std_mean": _spread,
}
MIXING = frozenset(
    "cumsum cumprod sort topk argmax argmin argsort median kthvalue _cdist_forward _trilinear mkldnn_rnn_layer "
    "_scaled_dot_product_attention_math _fft_r2c _fft_c2c _fft_c2r linalg_qr linalg_eigh "
    "_linalg_svd _native_multi_head_attention _transformer_encoder_layer_fwd nan_to_num".split()
)
"""Calls that mix values along a dimension, without a rule here."""
