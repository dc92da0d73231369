"""Attention classes of libraries that insist on their original width, with replacements that do not.

`nn.MultiheadAttention` asserts that its heads fill the embedding; torchvision's Swin divides the width of its input
by the number of heads. The replacements keep parameter names and behaviour, and remember the size of a head.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from pruning.base.clone import clone
from pruning.removal.slim_kinds import ATTENTION, SlimKind


def prepared(model: nn.Module) -> nn.Module:
    """The model itself, or a copy with the slim classes where it has such attention: what is traced."""
    if not any(_replacement(module) for module in model.modules()):
        return model
    copy = clone(model)
    make_slim(copy)
    return copy


def make_slim(model: nn.Module, touched: Iterable[str] | None = None) -> None:
    """Replace, in place, the class of attention modules that hold any of the `touched` parameters (None: of all).

    Encoders around them keep samples apart: without gradients torch would join those of a padded batch in a nested
    tensor, which slim attention does not take. What is padded then gets the values that it has with gradients, not 0.
    """
    names = None if touched is None else list(touched)
    for path, module in model.named_modules():
        kind = _replacement(module)
        if kind is not None and (names is None or any(name.startswith(f"{path}.") or not path for name in names)):
            module.head_dim = kind.rows(module) // (3 * getattr(module, kind.heads))
            module.__class__ = kind.slim
        if isinstance(module, nn.TransformerEncoder) and names != []:
            module.use_nested_tensor = False


def count_heads(model: nn.Module) -> None:
    """Make the size attributes of slim attention modules say what their tensors are."""
    for module in model.modules():
        kind = next((kind for kind in _kinds_for(type(module).__mro__) if type(module) is kind.slim), None)
        if kind is None:
            continue
        setattr(module, kind.heads, kind.rows(module) // (3 * module.head_dim))  # type: ignore[operator]
        if isinstance(module, nn.MultiheadAttention):
            separate = (module.q_proj_weight, module.k_proj_weight, module.v_proj_weight)
            weights = separate if module.in_proj_weight is None else (module.in_proj_weight,) * 3
            module.embed_dim, module.kdim, module.vdim = (weight.shape[1] for weight in weights)
            module._qkv_same_embed_dim = False  # keeps callers off the fused path, which insists on full width


def _replacement(module: nn.Module) -> SlimKind | None:
    """What a module is replaced by; None where it stays."""
    return next((kind for kind in _kinds_for((type(module),)) if type(module) is kind.original), None)


def _kinds_for(classes: Iterable[type]) -> tuple[SlimKind, ...]:
    """All kinds that a module with one of these classes may be. torchvision is imported only for its own modules."""
    if not any(known.__module__.startswith("torchvision.") for known in classes):
        return (ATTENTION,)
    from pruning.removal.slim_window_kinds import WINDOWS

    return (ATTENTION, *WINDOWS)
