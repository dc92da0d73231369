"""Stages of deep networks: the parts that their authors wrote, few enough to choose from, and every layer in one."""

from __future__ import annotations

import pytest

from pruning.graph.stages import FEW, MOST, stages

RESNET152 = [
    "conv1",
    *[
        f"layer{stage}.{block}.conv{number}"
        for stage, blocks in ((1, 3), (2, 8), (3, 36), (4, 3))
        for block in range(blocks)
        for number in (1, 2, 3)
    ],
    "fc",
]
VIT = [
    "conv_proj",
    *[
        f"encoder.layers.encoder_layer_{block}.{part}"
        for block in range(24)
        for part in ("self_attention.in_proj_weight", "self_attention.out_proj", "mlp.0", "mlp.3")
    ],
    "heads.head",
]
EFFICIENT = [
    "conv_stem",
    *[f"blocks.{stage}.{block}.conv_pw" for stage in range(7) for block in range(6)],
    "conv_head",
    "classifier",
]


DENSE = [
    "features.conv0",
    *[
        name
        for block, layers in ((1, 6), (2, 12), (3, 24), (4, 16))
        for name in (
            *[f"features.denseblock{block}.denselayer{i}.conv{j}" for i in range(layers) for j in (1, 2)],
            f"features.transition{block}.conv",
        )
    ],
    "classifier",
]


@pytest.mark.parametrize(
    ("names", "titles"),
    [
        (
            DENSE,
            ["conv0", *[name for i in (1, 2, 3, 4) for name in (f"denseblock{i}", f"transition{i}")], "classifier"],
        ),
        (RESNET152, ["conv1", "layer1", "layer2", "layer3", "layer4", "fc"]),
        (VIT, ["conv_proj", *[f"encoder_layer_{block}" for block in range(24)], "heads"]),
        (EFFICIENT, ["conv_stem", *[f"blocks.{stage}" for stage in range(7)], "conv_head", "classifier"]),
    ],
)
def test_stages_are_those_of_the_code(names: list[str], titles: list[str]) -> None:
    found = stages(names)
    assert [stage.title for stage in found] == titles
    assert [name for stage in found for name in stage.members] == names, "each layer once, in order"


def test_a_member_is_called_by_what_tells_it_apart() -> None:
    layer3 = stages(RESNET152)[3]
    assert layer3.short("layer3.7.conv2") == "7.conv2" and layer3.short("layer3.0.conv3/own") == "0.conv3 · own"
    assert stages(RESNET152)[0].short("conv1") == "conv1"


@pytest.mark.parametrize(
    "names",
    [
        [f"l{i}" for i in range(200)],
        [f"a.b.c.d.{i}" for i in range(200)],
        [f"a.{i}.{j}" for i in range(60) for j in range(3)],
        [f"a.{i % 7}.x{i}" for i in range(100)],
        ["same.name"] * 3 + [f"b.{i}" for i in range(40)],
        ["a" * 5000 + f".{i}" for i in range(40)],
    ],
)
def test_whatever_the_names_every_one_stands_in_one_stage(names: list[str]) -> None:
    found = stages(names)
    assert sorted(name for stage in found for name in stage.members) == sorted(names)
    assert len({stage.title for stage in found}) == len(found)


def test_few_layers_have_no_stages() -> None:
    (whole,) = stages([f"layer{i}.conv" for i in range(FEW)])
    assert len(whole.members) == FEW and whole.short("layer3.conv") == "layer3.conv"
    assert len(stages(RESNET152)) <= MOST
