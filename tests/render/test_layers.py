"""What is said of a network's layers and of where it comes from; names of layers are no Markdown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from pruning.base.errors import InputError
from pruning.render import provenance
from pruning.render.layers import (
    check_layer,
    largest_words,
    layer_names,
    layer_rows,
    shows_pictures,
    tied_words,
    unit_word,
)
from pruning.render.markdown import listed, plain
from pruning.subject import Subject, live_subject, open_subject
from tests import own_files


@pytest.fixture(scope="module")
def resnet() -> Subject:
    return open_subject("sample:resnet20")


def test_tied_layers_are_named(resnet: Subject) -> None:
    words = tied_words(resnet, "layer1.0.conv2")
    assert words.startswith(":material/link: **Its 16 filters are tied to 9 other layers** (conv1, layer1.1.conv2, ")
    assert "and 5 more)" in words and "under one slider." in words
    single = tied_words(resnet, "layer1.0.conv1")
    assert single == (
        "**Its 16 filters go alone:** no other layer shares them. What goes here, layer1.0.conv2 no longer reads."
    )
    assert tied_words(resnet, "fc") == (
        ":material/lock: **Locked:** none of its 10 neurons may go, because the network's outputs stay."
    )


@pytest.mark.parametrize(
    ("first", "shown"),
    [(nn.Conv2d(3, 4, 3), True), (nn.Conv2d(1, 4, (3, 5)), True), (nn.Conv2d(3, 4, 1), False),
     (nn.Conv2d(8, 4, 3), False), (nn.Conv2d(3, 4, (1, 7)), False)],
    ids=["colour", "grey", "single weights", "many channels", "a line"],
)  # fmt: skip
def test_kernels_are_pictures_where_the_eye_can_read_them(first: nn.Conv2d, shown: bool) -> None:
    model = nn.Sequential(first, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    subject = live_subject(model.eval(), (first.in_channels, 8, 8))
    assert shows_pictures(subject, "0") is shown
    assert not shows_pictures(subject, "4")


def test_the_largest_layers_are_named() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.Flatten(), nn.Linear(16, 8, bias=False),
                          nn.Linear(8, 2, bias=False))  # fmt: skip
    subject = live_subject(model.eval(), (1, 4, 4))
    # Weights 36, 128 and 16 of 180; MACs 36 × 4 places, 128 and 16 of 288.
    assert largest_words(subject, "parameters") == "Most parameters: 2 (71 %), 0 (20 %), 3 (8.9 %)."
    assert largest_words(subject, "macs") == "Most MACs: 0 (50 %), 2 (44 %), 3 (5.6 %)."


def test_layers_are_told_apart(resnet: Subject) -> None:
    assert layer_names(resnet)[0] == "conv1" and layer_names(resnet)[-1] == "fc"
    assert [unit_word(resnet, layer) for layer in ("conv1", "fc")] == ["filter", "neuron"]
    assert [shows_pictures(resnet, layer) for layer in ("conv1", "layer1.0.conv1")] == [True, False]
    plain = replace(resnet, network=replace(resnet.network, untrained=True))
    assert not shows_pictures(plain, "conv1"), "noise is nothing to look at"
    with pytest.raises(InputError, match=r"no layer 'conv99'\. It has: conv1, "):
        check_layer(resnet, "conv99")


def test_the_table_has_a_row_a_layer_and_shares_of_the_whole(resnet: Subject) -> None:
    table = layer_rows(resnet)
    assert [row["layer"] for row in table] == layer_names(resnet)
    assert [sum(row[share] for row in table) for share in ("of all", "of all MACs")] == pytest.approx([100, 100])
    assert next(row for row in table if row["layer"] == "fc")["channel group"] == "fc (locked)"


def test_a_sample_tells_what_it_learnt_from(resnet: Subject) -> None:
    words = provenance.words(resnet)
    assert "Trained on **cifar10**" in words and "No image has two roles." in words
    assert "**test** images: **" in words and all(line.startswith("- ") for line in words.split("\n"))


def test_a_network_of_a_library_tells_that_it_has_learnt_nothing() -> None:
    words = provenance.words(open_subject("torchvision:squeezenet1_1?size=64"))
    assert words.startswith(r"- **squeezenet1\_1** as torchvision builds it, for inputs of 3 × 64 × 64.")
    assert "they have learnt nothing" in words and words.endswith("its accuracy cannot be measured.")


def test_files_of_ones_own_are_named_without_their_folders(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "def build():\n"
        "    end = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)\n"
        "    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), *end)\n"
    )
    guest = open_subject(f"file:{tmp_path}/net.py:build")
    torch.save(guest.model.state_dict(), tmp_path / "mine.pt")
    photos = own_files.photos_zip(tmp_path / "photos.zip")
    subject = open_subject(f"file:{tmp_path}/net.py:build?weights={tmp_path}/mine.pt", f"zip:{photos}")
    words = provenance.words(subject)
    assert words.startswith("- **build of net.py**, for inputs of 3 × ") and "mine.pt" in words
    assert str(tmp_path) not in words.replace("\\", "")
    assert "its accuracy cannot be measured" not in words
    assert words.endswith("**photos.zip, 84 images** (36 train, 24 select, 24 test), measured by accuracy.")
    named = provenance.words(subject, weights="what I called it.pt", images="holiday.zip")
    assert "what I called it.pt" in named and "mine.pt" not in named and "**holiday.zip** (36 train" in named


def test_names_stay_text() -> None:
    assert plain("a_b*c $1") == r"a\_b\*c \$1"
    assert listed(["a"]) == "a" and listed(["a", "b_1", "c"]) == r"a, b\_1 and c"
    assert listed(["a", "b", "c", "d", "e", "f"]) == "a, b, c, d and 2 more"
