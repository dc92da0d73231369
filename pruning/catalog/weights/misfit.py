"""Why weights are not a network's, in one sentence that somebody can act on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor, nn

from pruning.base.errors import InputError, excerpt
from pruning.base.words import a_kind
from pruning.catalog.weights.contents import Contents
from pruning.catalog.weights.matching import Match

SHOWN = 3
CONVERT = (
    "on a machine that trusts it, run: import torch; model = torch.load('{name}', weights_only=False); "
    "torch.save(model.state_dict(), 'weights.pt'), and name weights.pt here"
)
_STRANGERS: tuple[tuple[str, str], ...] = (
    (r"(^|[./])(kernel|gamma|moving_mean|depthwise_kernel|batch_stats)(:0)?($|[./])|/", "Keras, TensorFlow or Flax"),
    (
        r"\.(attention\.attention\.(query|key)|attention\.self\.query|encoder\.layer\.\d+\.|encoder\.stages\.\d+\."
        r"(layers|blocks)\.|embedder\.|embeddings\.(patch_embeddings|cls_token|word_embeddings))",
        "Hugging Face transformers",
    ),
    (r"(^|\.)lora_[AB]\b", "a LoRA adapter, which is no network by itself"),
    (r"_packed_params|\.zero_point$|activation_post_process", "a quantised network"),
    (r"parametrizations\.|weight_orig$|weight_mask$", "a network whose layers are parametrised, as by a pruning mask"),
)


def misfit(contents: Contents, match: Match | None, own: Mapping[str, Tensor], needed: Sequence[str]) -> InputError:
    """The sentence for weights that are not the network's. `needed`: names that the file lacks."""
    given = contents.tensors
    if not given:
        return InputError(without_tensors(contents))
    stranger = _stranger(given)
    parameters = [name for name, tensor in own.items() if isinstance(tensor, nn.Parameter)]
    names = match.names if match is not None else {}
    if match is None or len(names) * 2 < len(own):
        if contents.layers and not names:
            return InputError(without_tensors(contents))
        what = stranger or known_as(given)
        guess = f" These are the names of {what}." if what else ""
        return InputError(
            f"The weights in {contents.said} are of another network: it has {len(given)} tensors ({few(given, 2)}), "
            f"of which {sum(name in names for name in parameters)} are among the {len(parameters)} parameters wanted "
            f"({few(parameters, 2)}).{guess} {_way_out(stranger)}"
        )
    shapes = [
        f"{name} ({shape_words(given[full])}, not {shape_words(own[name])})"
        for name, full in names.items()
        if given[full].shape != own[name].shape and isinstance(own[name], nn.Parameter)
    ]
    if needed and not shapes and set(needed) <= set(_last_layer(own)):
        likely = _like(needed, own, given, match)
        if likely:
            return InputError(
                f"The weights in {contents.said} have no last layer of the network's name ({few(needed)}); "
                f"{few(likely)} may be it by the shape, but nothing says so: save it under the network's name, or give "
                "the file of this very network."
            )
        return InputError(
            f"The weights in {contents.said} have no last layer ({few(needed)}): they are those of a backbone alone, "
            "so that the network's answers would be random. Give the file of the whole network."
        )
    used = set(names.values())
    spare = [name for name in given if name not in used and (not match.key or name.startswith(f"{match.key}."))]
    found = [
        text.format(len(which), few(which))
        for text, which in (
            ("lacks {} of the model's: {}", list(needed)),
            ("has {} too many: {}", spare),
            ("has {} of another shape: {}", shapes),
        )
        if which
    ]
    what = known_as(given)
    guess = f" These are the names of {what}." if what else ""
    return InputError(
        f"The weights in {contents.said} do not fit the model; the file {'; it '.join(found)}.{guess} "
        f"{_hint(shapes) or 'Give the file that was saved from this very network.'}"
    )


def _like(needed: Sequence[str], own: Mapping[str, Tensor], given: Mapping[str, Tensor], match: Match) -> list[str]:
    """Names in the file, of what is used for nothing else, with the shapes of the needed ones but for the first length;
    [] unless there is one for each."""
    used = set(match.names.values())
    found: list[str] = []
    for name in needed:
        wanted = own[name].shape
        fits = (
            full
            for full, tensor in given.items()
            if full not in used and full not in found and tensor.dim() == len(wanted) and tensor.shape[1:] == wanted[1:]
        )
        one = next(fits, None)
        if one is None:
            return []
        found.append(one)
    return found


def few(names: Iterable[str], most: int = SHOWN) -> str:
    """The first few of them, cut short, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(excerpt(name, 48) for name in listed[:most]) + more


def shape_words(tensor: Tensor) -> str:
    """
    >>> import torch
    >>> shape_words(torch.zeros(3, 4)), shape_words(torch.zeros(()))
    ('3×4', 'a number')
    """
    return "×".join(map(str, tensor.shape)) or "a number"


def known_as(given: Iterable[str]) -> str | None:
    """Whose names these are, where they are known."""
    names = list(given)
    for pattern, owner in _FAMILIES:
        if sum(re.search(pattern, name) is not None for name in names) * 5 >= len(names):
            depth = _depth(names, owner)
            return f"{owner}{depth}"
    return _stranger(names)


_FAMILIES = (
    (r"(^|\.)layer[1-4]\.\d+\.(conv|bn|downsample)", "torchvision's and timm's ResNet family"),
    (r"(^|\.)encoder\.layers\.encoder_layer_\d+\.", "torchvision's vision transformers (vit_b_16 and others)"),
    (r"(^|\.)blocks\.\d+\.(attn\.qkv|attn\.proj|mlp\.fc[12])", "timm's vision transformers"),
    (r"(^|\.)blocks\.\d+\.\d+\.(conv_pw|conv_dw|conv_pwl|se\.)", "timm's EfficientNet and MobileNet family"),
    (r"(^|\.)_blocks\.\d+\._", "the package efficientnet-pytorch and those like it"),
    (r"(^|\.)features\.denseblock\d", "torchvision's and timm's DenseNet family"),
    (r"(^|\.)features\.\d+\.\d+\.block\.\d", "torchvision's EfficientNet, MobileNetV3 or ConvNeXt"),
    (r"(^|\.)features\.\d+\.conv\.\d", "torchvision's MobileNetV2"),
    (r"(^|\.)features\.\d+\.(squeeze|expand)", "torchvision's SqueezeNet"),
    (r"(^|\.)features\.\d+\.(weight|bias)$", "torchvision's VGG or AlexNet"),
    (r"(^|\.)stages\.\d+\.blocks\.\d+\.", "timm's ConvNeXt and other networks in stages"),
    (r"(^|\.)Mixed_\d\w\.", "Inception"),
)


def _depth(names: list[str], owner: str) -> str:
    """Which ResNet it is, as far as the number of its blocks tells."""
    if "ResNet" not in owner:
        return ""
    blocks = tuple(
        len({found[1] for name in names if (found := re.search(rf"(?:^|\.)layer{stage}\.(\d+)\.", name))})
        for stage in (1, 2, 3, 4)
    )
    wide = any(re.search(r"layer1\.0\.conv3", name) for name in names)
    names_of: dict[tuple[int, ...], str] = {
             (2, 2, 2, 2): "resnet18", (3, 4, 6, 3): "resnet50" if wide else "resnet34", (3, 4, 23, 3): "resnet101",
             (3, 8, 36, 3): "resnet152"}  # fmt: skip
    known = names_of.get(blocks)
    return f" ({known}, or one as deep)" if known else ""


def without_tensors(contents: Contents) -> str:
    """Why a file without tensors is none of weights."""
    if contents.layers:
        return (
            f"{contents.said} holds a whole pickled model, and opening one runs code that is in it, so it is not opened"
            ": " + CONVERT.format(name=excerpt(contents.path.name, 60)) + "."
        )
    held = f" (it holds {few(list(contents.values))})" if contents.values else ""
    return (
        f"{contents.said} holds {a_kind(contents.what)} that is no state dict{held}: save "
        "torch.save(model.state_dict(), FILE)."
    )


def _stranger(names: Iterable[str]) -> str | None:
    listed = list(names)
    return next(
        (
            owner
            for pattern, owner in _STRANGERS
            if sum(re.search(pattern, name) is not None for name in listed) * 5 >= len(listed)
        ),
        None,
    )


def _way_out(stranger: str | None) -> str:
    if stranger and "Hugging" in stranger:
        return "Open it with a function in a file of yours: file:PATH.py:FACTORY."
    return "Name the network that they were saved from, or give the file of this one."


def _hint(shapes: list[str]) -> str:
    if any("pos_embed" in name or "relative_position" in name or "pos_embedding" in name for name in shapes):
        return "They were learnt with images of another size: say which with size=PIXELS."
    return ""


def _last_layer(own: Mapping[str, Tensor]) -> list[str]:
    """Names of the layer whose parameters come last, and of others beside it in one module."""
    names = [name for name, tensor in own.items() if isinstance(tensor, nn.Parameter)]
    if not names:
        return []
    module = names[-1].rpartition(".")[0]
    top = module.partition(".")[0]
    beside = [name for name in names if name.partition(".")[0] == top]
    return beside if len(beside) * 4 <= len(names) else [name for name in names if name.rpartition(".")[0] == module]
