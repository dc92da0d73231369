"""The networks that removal is measured on, each with random weights that make comparisons mean something.

All classifiers and segmentation networks of torchvision, and 50 of timm over its families. The inputs are as small as
a network allows, for time; widths and depths are the library's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

SEED = 0
WEIGHTS = 2
"""Counts the changes to how `build` makes weights: results for others are not used again."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network: `torchvision:NAME`, `segmentation:NAME`, `flow:NAME` or `timm:NAME`."""

    name: str
    size: int
    """Height and width of the input."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the library's builder gets besides."""

    @property
    def family(self) -> str:
        return self.name.partition(":")[0]

    @property
    def key(self) -> str:
        """Everything that a result depends on."""
        return f"{self.name} {self.size} {dict(self.options)} seed {SEED} weights {WEIGHTS}"


def torchvision_networks() -> list[Network]:
    """Every classifier that torchvision lists."""
    import torchvision

    return [_classifier(name) for name in torchvision.models.list_models(module=torchvision.models)]


def _classifier(name: str) -> Network:
    options: dict[str, Any] = {}
    size = 64
    if name.startswith("vit"):
        size = 56 if name == "vit_h_14" else 64
        options = {"image_size": size}
    elif name.startswith(("googlenet", "inception")):
        options = {"init_weights": True}
        size = 299 if name.startswith("inception") else 64  # smaller, and its auxiliary head gets no map in train mode
    elif name == "maxvit_t":
        size = 224  # its windows of 7 must fill every map
    elif name == "alexnet":
        size = 67
    return Network(name=f"torchvision:{name}", size=size, options=options)


def segmentation_networks() -> list[Network]:
    """Every segmentation network that torchvision lists."""
    import torchvision

    names = torchvision.models.list_models(module=torchvision.models.segmentation)
    options = {"weights_backbone": None, "aux_loss": True}
    return [
        Network(
            name=f"segmentation:{name}",
            size=64,
            options=options if "lraspp" not in name else {"weights_backbone": None},
        )
        for name in names
    ]


TIMM: dict[str, tuple[int, dict[str, Any]]] = {
    # name: (input size, options of timm.create_model)
    "resnet18": (64, {}),
    "resnext50_32x4d": (64, {}),
    "seresnet50": (64, {}),
    "ecaresnet26t": (64, {}),
    "resnet50_gn": (64, {}),
    "resnetv2_50": (64, {}),
    "res2net50_14w_8s": (64, {}),
    "resnest14d": (64, {}),
    "skresnet18": (64, {}),
    "regnety_002": (64, {}),
    "efficientnet_b0": (64, {}),
    "tf_mixnet_s": (64, {}),
    "mobilenetv3_small_050": (64, {}),
    "mobilenetv4_conv_small_035": (64, {}),
    "mnasnet_small": (64, {}),
    "hardcorenas_a": (64, {}),
    "tinynet_e": (64, {}),
    "lcnet_035": (64, {}),
    "ghostnet_050": (64, {}),
    "rexnet_100": (64, {}),
    "repvgg_a0": (64, {}),
    "mobileone_s0": (64, {}),
    "repghostnet_050": (64, {}),
    "starnet_s050": (64, {}),
    "cspresnet50": (64, {}),
    "darknet17": (64, {}),
    "dla34": (64, {}),
    "hrnet_w18_small": (64, {}),
    "dpn48b": (64, {}),
    "densenet121": (64, {}),
    "inception_v4": (107, {}),
    "xception41": (64, {}),
    "selecsls42b": (64, {}),
    "ese_vovnet19b_slim": (64, {}),
    "hgnetv2_b0": (64, {}),
    "nf_resnet26": (64, {}),
    "eca_nfnet_l0": (64, {}),
    "convnext_atto": (64, {}),
    "convnextv2_atto": (64, {}),
    "fasternet_t0": (64, {}),
    "poolformer_s12": (64, {}),
    "edgenext_xx_small": (64, {}),
    "mobilevit_xxs": (64, {}),
    "mobilevitv2_050": (64, {}),
    "fastvit_t8": (64, {}),
    "vit_tiny_patch16_224": (64, {"img_size": 64}),
    "deit_tiny_distilled_patch16_224": (64, {"img_size": 64}),
    "swin_tiny_patch4_window7_224": (56, {"img_size": 56}),
    "mixer_s32_224": (64, {"img_size": 64}),
    "coatnet_nano_rw_224": (64, {"img_size": 64}),
}
"""50 of timm's families."""
MORE_TIMM: dict[str, tuple[int, dict[str, Any]]] = {
    "beit_base_patch16_224": (64, {"img_size": 64}),
    "resmlp_12_224": (64, {"img_size": 64}),
    "gmlp_ti16_224": (64, {"img_size": 64}),
    "levit_128s": (64, {"img_size": 64}),
    "coat_lite_tiny": (64, {"img_size": 64}),
    "pvt_v2_b0": (64, {}),
    "twins_svt_small": (64, {"img_size": 64}),
    "cait_xxs24_224": (64, {"img_size": 64}),
    "xcit_nano_12_p16_224": (64, {"img_size": 64}),
    "maxvit_pico_rw_256": (64, {"img_size": 64}),
    "efficientformer_l1": (224, {}),
    "dm_nfnet_f0": (64, {}),
    "efficientnet_lite0": (64, {}),
}
"""Mostly attention, and networks that were asked for: reported beside the 50."""


def flow_networks() -> list[Network]:
    """Networks of torchvision for optical flow, on an image and its mirror image."""
    return [Network(name=f"flow:{name}", size=128) for name in ("raft_small", "raft_large")]


class Mirrored(nn.Module):
    """A network for optical flow with the mirror image as the second one; the last of two estimates."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images, images.flip(-1), num_flow_updates=2)[-1]  # type: ignore[no-any-return]


def timm_networks(table: Mapping[str, tuple[int, dict[str, Any]]] = TIMM) -> list[Network]:
    """The chosen networks of timm."""
    return [Network(name=f"timm:{name}", size=size, options=options) for name, (size, options) in table.items()]


QUICK = (
    "torchvision:resnet18 torchvision:mobilenet_v2 torchvision:shufflenet_v2_x0_5 torchvision:densenet121 "
    "torchvision:squeezenet1_1 torchvision:regnet_x_400mf torchvision:vit_b_32 segmentation:lraspp_mobilenet_v3_large "
    "timm:resnext50_32x4d timm:convnext_atto timm:vit_tiny_patch16_224 timm:ghostnet_050"
).split()
"""A dozen that show most of what networks do with channels."""


def all_networks() -> list[Network]:
    """Every network of the benchmark."""
    return [
        *torchvision_networks(),
        *segmentation_networks(),
        *timm_networks(),
        *timm_networks(MORE_TIMM),
        *flow_networks(),
    ]


def build(network: Network) -> tuple[nn.Module, Tensor]:
    """The network in eval mode with random weights, always the same, and an input of two images.

    What an initialisation leaves constant (zero last norms, layer scales, biases) is made random, since zeros hide
    mistakes. Batch-norm statistics are those of a random batch, then perturbed: made up from nothing they would make
    the output of a deep network nearly independent of its input, and any comparison would pass. No two values of a
    vector are equal.
    """
    torch.manual_seed(SEED)
    model = _create(network)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            _enliven(name, parameter)
        _settle_statistics(model, torch.randn(8, 3, network.size, network.size))
        for module in model.modules():
            statistics = [getattr(module, name, None) for name in ("running_mean", "running_var")]
            for tensor in [*module.parameters(recurse=False), *(t for t in statistics if isinstance(t, Tensor))]:
                _tell_apart(tensor.data)
    return model.eval(), torch.randn(2, 3, network.size, network.size)


def _create(network: Network) -> nn.Module:
    _, _, name = network.name.partition(":")
    options = dict(network.options)
    if network.family == "timm":
        import timm

        return timm.create_model(name, pretrained=False, **options)  # type: ignore[no-any-return]
    import torchvision

    made = torchvision.models.get_model(name, weights=None, **options)
    return Mirrored(made) if network.family == "flow" else made


def _enliven(name: str, parameter: Tensor) -> None:
    """Random values for a parameter whose entries are all the same."""
    if parameter.min() != parameter.max() and parameter.numel() > 1:
        return
    value = float(parameter.reshape(-1)[0])
    if abs(value) >= 0.1:
        centre, spread = value, 0.2
    elif value or parameter.numel() == 1 or name.endswith(("weight", "gamma", "scale")):
        centre, spread = (0.8, 0.2) if parameter.dim() < 2 or value else (0.0, 0.05)  # layer scale; head of zeros
    else:
        centre, spread = 0.0, 0.2  # bias
    parameter.copy_(centre + spread * torch.randn_like(parameter))


def _tell_apart(tensor: Tensor) -> None:
    """Make the values of a vector differ, so that they show which index they come from."""
    while tensor.numel() > 1 and tensor.squeeze().dim() == 1:
        values, order = tensor.reshape(-1).sort()
        twins = order[1:][values[1:] == values[:-1]]
        if not len(twins):
            return
        tensor.view(-1)[twins] += torch.rand(len(twins)) * 1e-3


def _settle_statistics(model: nn.Module, images: Tensor) -> None:
    """Batch-norm statistics of these images, each perturbed by a tenth or so."""
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    norms = [module for module in norms if module.running_mean is not None]
    if not norms:
        return
    before = [module.momentum for module in norms]
    for module in norms:
        module.momentum = 1.0
    model.train()(images)
    for module, momentum in zip(norms, before, strict=True):
        module.momentum = momentum
        mean, variance = module.running_mean, module.running_var
        assert mean is not None and variance is not None
        variance.mul_(torch.rand_like(variance) * 0.4 + 0.8).add_(torch.rand_like(variance) * 1e-3 + 1e-3)
        mean.add_(torch.randn_like(mean) * 0.1 * variance.sqrt())
