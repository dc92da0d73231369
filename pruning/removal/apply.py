"""Carry a plan out on a copy of the model: masked (same shapes) or removed (smaller)."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor, nn
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.weight_norm import WeightNorm

from pruning.base.clone import clone, shared_memory, twin
from pruning.base.held import number_at, put_number
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan
from pruning.removal.attributes import follow, follow_kept
from pruning.removal.gains import exact_gains, keep_weights, picked, point_somewhere
from pruning.removal.shrinkage import Shrinkage, shrinkage
from pruning.removal.slim import count_heads, make_slim


def pruned_model(model: nn.Module, graph: ModelGraph, plan: Plan) -> nn.Module:
    """A copy of the model with a plan carried out: smaller where channels go, with zeros where single weights go."""
    return masked_model(model, graph, plan) if plan.masks else removed_model(model, graph, plan)


def removed_model(model: nn.Module, graph: ModelGraph, plan: Plan) -> nn.Module:
    """A smaller copy of the model without the units that a channel plan removes; `model` is not changed."""
    return shrink(model, shrinkage(graph, plan))


@torch.no_grad()
def shrink(model: nn.Module, what: Shrinkage, *, values: bool = True) -> nn.Module:
    """A copy of the model with only the kept indices of each tensor, its layers' sizes adjusted.

    Frozen parameters stay frozen, shared ones shared. `values`: False where only the sizes matter: what is cut then has
    no values, and the rest the memory of `model`, into which nothing may write.
    """
    small = clone(model) if values else twin(model)
    make_slim(small, what.kept)
    shared = shared_memory(model)
    names = named_tensors(small)
    gains = exact_gains(names, what) if values else {}
    holders: dict[int, list[tuple[nn.Module, str]]] = defaultdict(list)
    for module in small.modules():
        for attribute, tensor in (*module._parameters.items(), *module._buffers.items()):
            if tensor is not None:
                holders[id(tensor)].append((module, attribute))
    for name, dims in what.kept.items():
        tensor = names[name]
        if values:
            fresh = picked(tensor.data, dims).contiguous(memory_format=_format_of(tensor))
        else:
            sizes = [len(dims.get(dim, range(size))) for dim, size in enumerate(tensor.shape)]
            fresh = torch.empty(sizes, dtype=tensor.dtype, device=tensor.device, memory_format=_format_of(tensor))
        if isinstance(tensor, nn.Parameter):
            fresh = nn.Parameter(fresh, requires_grad=tensor.requires_grad)
        names[name] = fresh
        for module, attribute in holders[id(tensor)]:
            setattr(module, attribute, fresh)
    for name, gain in gains.items():
        names[name].data.copy_(gain)
    if values:
        point_somewhere(names, what.gains)
    for first, second, transposed in shared:
        names[second].data = names[first].data.t() if transposed else names[first].data
    modules = dict(small.named_modules())
    for (path, attribute, place), (count, total) in what.sizes.items():
        number = number_at(modules[path], attribute, place)
        assert number is not None, (path, attribute, place)
        put_number(modules[path], attribute, place, number * count // total)
    for path, (dim, before, after) in what.pads.items():
        module = modules[path]
        assert isinstance(module, nn.modules.padding._ConstantPadNd), path
        padding = list(module.padding)
        start = 2 * (-1 - dim)
        padding[start : start + 2] = [before, after]
        module.padding = tuple(padding)
    for module in small.modules():
        _recompute(module)
    follow(model, small)
    follow_kept(model, small, what.kept)
    count_heads(small)
    return small


def named_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name; one that several modules hold goes by the first of its names."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def _format_of(tensor: Tensor) -> torch.memory_format:
    channels_last = (
        tensor.dim() == 4 and not tensor.is_contiguous() and tensor.is_contiguous(memory_format=torch.channels_last)
    )
    return torch.channels_last if channels_last else torch.contiguous_format


def _recompute(module: nn.Module) -> None:
    """Weights that a hook computes before every call lie about with their old shape: compute them now."""
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm | BasePruningMethod):
            hook(module, ())


@torch.no_grad()
def masked_model(model: nn.Module, graph: ModelGraph, plan: Plan) -> nn.Module:
    """A copy of the same shapes in which what the plan removes is without effect.

    Weight plan: the weights are zero. Channel plan: removed units contribute zero at every consumer's input, that
    is, each consumer's weights for them are zero (zeroing what makes them would not do: BN and biases would give
    them a value again). Normalisations over channels still see them: `pruning.removal.reference` does not.
    """
    masked = clone(model)
    tensors = named_tensors(masked)
    for name, mask in plan.masks.items():
        tensors[name].mul_(mask)
    for group in graph.groups:
        removed = sorted(set(range(group.units)) - set(plan.kept.get(group.name, range(group.units))))
        for slot in group.slots:
            if slot.role == "consumer" and removed:
                tensors[slot.tensor].index_fill_(slot.dim, slot.index[removed].reshape(-1), 0.0)
    if not plan.masks:
        keep_weights(named_tensors(model), tensors, graph.gains)
    return masked


@torch.no_grad()
def inflate(template: nn.Module, small: nn.Module, what: Shrinkage) -> nn.Module:
    """The inverse of `shrink`: a copy of `template` with the weights of `small` in their old places, zeros elsewhere.

    Lets the next round of an iterative schedule be planned in the numbering of the model it started from. Where the
    gain of a weight is zero, its direction stays as it is in `template`, since it must have some length.
    """
    large = clone(template)
    targets = large.state_dict(keep_vars=True)
    directions = {gain.direction: gain.dim for gain in what.gains}
    for name, tensor in small.state_dict().items():
        target = targets[name].data
        dims = what.kept.get(name, {})
        places = [torch.tensor(dims.get(dim, range(size))) for dim, size in enumerate(target.shape)]
        if dims:
            along = directions.get(name)
            if along in dims:
                target.index_fill_(along, torch.tensor(dims[along]), 0.0)
            else:
                target.zero_()
            target[torch.meshgrid(*places, indexing="ij")] = tensor.data
        else:
            target.copy_(tensor.data)
    return large
