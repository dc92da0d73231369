"""Carry a plan out on a copy of the model: masked (same shapes) or removed (smaller)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from pruning.graph.groups import ModelGraph
from pruning.plan import Plan
from pruning.shrinkage import Shrinkage, shrinkage


def removed_model(model: nn.Module, graph: ModelGraph, plan: Plan) -> nn.Module:
    """A smaller copy of the model without the units that a channel plan removes; `model` is not changed."""
    return shrink(model, shrinkage(graph, plan))


def shrink(model: nn.Module, what: Shrinkage) -> nn.Module:
    """A copy of the model with only the kept indices of each tensor, its layers' sizes adjusted."""
    small = copy.deepcopy(model)
    modules = dict(small.named_modules())
    with torch.no_grad():
        for name, dims in what.kept.items():
            path, _, attribute = name.rpartition(".")
            owner = modules[path]
            tensor: Tensor = getattr(owner, attribute)
            data = tensor.data
            for dim, index in dims.items():
                data = data.index_select(dim, torch.tensor(index, dtype=torch.long))
            if isinstance(tensor, nn.Parameter):
                setattr(owner, attribute, nn.Parameter(data.contiguous(), requires_grad=tensor.requires_grad))
            else:
                setattr(owner, attribute, data.contiguous())
    for path in {name.rpartition(".")[0] for name in what.kept}:
        _set_sizes(modules[path])
    for path, (dim, before, after) in what.pads.items():
        module = modules[path]
        assert isinstance(module, nn.modules.padding._ConstantPadNd), path
        padding = list(module.padding)
        start = 2 * (-1 - dim)
        padding[start : start + 2] = [before, after]
        module.padding = tuple(padding)
    return small


def _set_sizes(module: nn.Module) -> None:
    """Make a layer's size attributes say what its tensors are."""
    if isinstance(module, nn.modules.conv._ConvNd):
        depthwise = module.groups > 1
        module.out_channels = module.weight.shape[0]
        module.groups = module.weight.shape[0] if depthwise else 1
        module.in_channels = module.weight.shape[1] * module.groups
    elif isinstance(module, nn.Linear):
        module.out_features, module.in_features = module.weight.shape
    elif isinstance(module, nn.modules.batchnorm._NormBase):
        present = module.running_mean if module.weight is None else module.weight
        module.num_features = len(present) if present is not None else module.num_features


def masked_model(model: nn.Module, graph: ModelGraph, plan: Plan) -> nn.Module:
    """A copy of the same shapes in which what the plan removes is without effect.

    Weight plan: the weights are zero. Channel plan: removed units contribute zero at every consumer's input, that
    is, each consumer's weights for them are zero (zeroing what makes them would not do: BN and biases would give
    them a value again).
    """
    masked = copy.deepcopy(model)
    tensors = dict(masked.named_parameters())
    with torch.no_grad():
        for name, mask in plan.masks.items():
            tensors[name].mul_(mask)
        for group in graph.groups:
            removed = sorted(set(range(group.units)) - set(plan.kept.get(group.name, range(group.units))))
            for slot in group.slots:
                if slot.role == "consumer" and removed:
                    tensors[slot.tensor].index_fill_(slot.dim, slot.index[removed].reshape(-1), 0.0)
    return masked


@torch.no_grad()
def inflate(template: nn.Module, small: nn.Module, what: Shrinkage) -> nn.Module:
    """The inverse of `shrink`: a copy of `template` with the weights of `small` in their old places, zeros elsewhere.

    Lets the next round of an iterative schedule be planned in the numbering of the model it started from.
    """
    large = copy.deepcopy(template)
    targets = large.state_dict(keep_vars=True)
    for name, tensor in small.state_dict().items():
        target = targets[name].data
        dims = what.kept.get(name, {})
        places = [torch.tensor(dims.get(dim, range(size))) for dim, size in enumerate(target.shape)]
        if dims:
            target.zero_()
            target[torch.meshgrid(*places, indexing="ij")] = tensor.data
        else:
            target.copy_(tensor.data)
    return large
