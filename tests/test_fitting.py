"""How images are prepared: what is asked for counts first, then what the network says, then what suits the images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pruning.base.errors import InputError
from pruning.catalog.network import Network
from pruning.data.preprocess import IMAGENET, Preprocess
from pruning.fitting import at_shape, fit, names_of, output_shape, stated_by
from pruning.subject import Subject, live_subject, open_subject
from tests import own

HALF = Preprocess(size=(16, 16), mean=(0.5,) * 3, std=(0.5,) * 3)


@pytest.fixture(scope="module", autouse=True)
def reader() -> Iterator[None]:
    with own.added():
        yield


def network(model: nn.Module | None = None, **changes: object) -> Network:
    base = Network(
        ref="", title="net", weights="some", example_inputs=torch.zeros(2, 3, 16, 16),
        model=(model or nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))),
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def test_what_counts_first() -> None:
    asked, stated = HALF.replace(colour="bgr"), HALF
    assert fit(network(preprocess=stated), "shapes:labelled", asked).preprocess == asked
    by_network = fit(network(preprocess=stated), "shapes:labelled")
    assert by_network.preprocess == stated and "library or weights say" in by_network.remarks[0]
    nobody = fit(network(), "shapes:labelled")
    assert nobody.preprocess == own.DEFAULT and nobody.by_default
    assert fit(network(), "mnist5k").preprocess is None, "published images are as they are"


def test_images_are_brought_to_the_size_and_channels_that_a_network_takes() -> None:
    smaller = fit(network(example_inputs=torch.zeros(2, 3, 8, 8)), "shapes:labelled")
    assert smaller.preprocess == own.DEFAULT.replace(size=(8, 8)) and "8×8" in smaller.remarks[0]
    wide = fit(network(example_inputs=torch.zeros(2, 3, 8, 14)), "shapes:labelled").preprocess
    assert wide is not None and (wide.size, wide.resize) == ((8, 14), 16), "another shape is cut out of the middle"
    grey = fit(network(example_inputs=torch.zeros(2, 1, 16, 16)), "shapes:labelled").preprocess
    assert grey is not None and (grey.colour, grey.channels) == ("grey", 1)
    assert grey.mean == pytest.approx((sum(IMAGENET["mean"]) / 3,))


def test_a_size_in_the_reference_and_one_that_is_asked_for_must_agree() -> None:
    sized = network(ref="torchvision:resnet18?size=32", preprocess=HALF.replace(resize=18))
    assert fit(sized, "shapes:labelled", HALF.replace(size=(32, 32))).preprocess is not None
    with pytest.raises(InputError, match=r"says size=32, but the images are to be 16×16"):
        fit(sized, "shapes:labelled", HALF)
    found = stated_by(sized)
    assert found is not None and (found.size, found.resize) == ((32, 32), 36), "the border grows with it"


def test_a_sample_knows_how_its_images_look_and_what_its_outputs_are_called() -> None:
    sample = open_subject("sample:lenet5").network
    found = stated_by(sample)
    assert found is not None and (found.colour, found.size, found.mean) == ("grey", (28, 28), (0.1307,))
    assert names_of(sample)[3] == ("3",) and names_of(network()) == ()


def test_a_guessed_size_gives_way_to_that_of_the_images() -> None:
    free = network(any_size=True)
    assert at_shape(free, (3, 16, 16)) is free and at_shape(network(), (3, 24, 24)).example_inputs.shape[2] == 16
    larger = at_shape(free, (3, 24, 24))
    assert larger.example_inputs.shape == (2, 3, 24, 24) and output_shape(larger) == (2, 3)
    fixed = network(nn.Sequential(nn.Flatten(), nn.Linear(768, 3)), any_size=True)
    with pytest.raises(InputError, match=r"net cannot take images of 3×24×24 \(.*size=PIXELS"):
        at_shape(fixed, (3, 24, 24))


def test_a_subject_takes_own_images_by_reference(tmp_path: Path) -> None:
    model = network().model
    subject = live_subject(model, (3, 16, 16)).with_data("shapes:labelled")
    assert (
        subject.preprocess == own.DEFAULT
        and subject.info.classes == own.CLASSES
        and subject.task.name == "classification"
    )
    asked = live_subject(model, (3, 16, 16)).with_data("shapes:labelled", preprocess=HALF)
    assert asked.preprocess == HALF and asked.info.mean == (0.5,) * 3 and "as given" in " ".join(asked.remarks)
    with pytest.raises(InputError, match="takes images of 3×16×16, and these are 3×8×8"):
        live_subject(model, (3, 16, 16)).with_data("shapes:labelled", preprocess=HALF.replace(size=(8, 8)))
    with pytest.raises(InputError, match=r"tells 3 classes apart.*has 2"):
        live_subject(model, (3, 16, 16)).with_data("shapes:two")


def test_unlabelled_images_make_the_task_agreement_and_lack_nothing() -> None:
    subject = live_subject(network().model, (3, 16, 16)).with_data("shapes:plain")
    assert subject.task.name == "agreement" and [lack.part for lack in subject.lacks] == ["reference"]
    assert subject.why_not("measure") is None and subject.missing is None
    index = torch.tensor([5, 0, 7])
    targets = subject.task.targets(subject.data, "select", index)
    with torch.no_grad():
        by_hand = subject.model(subject.data.normalise(subject.data.images("select", index)))
    assert torch.allclose(targets, by_hand, atol=1e-6)


def test_random_weights_never_get_an_accuracy() -> None:
    made = network(untrained=True)
    subject = Subject.of(made).with_data("shapes:labelled")
    assert subject.missing == "its weights are random, so that nothing it answers means anything"
    with pytest.raises(InputError, match=r"cannot be scanned: its weights are random.*weights=FILE"):
        subject.check("scan")


def test_what_puts_out_no_tensor_is_refused_in_a_sentence() -> None:
    class Two(nn.Module):
        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return images.mean((2, 3)), images

    with pytest.raises(InputError, match="net gives a tuple of 2 for a batch of images, not a tensor"):
        Subject.of(network(Two())).with_data("shapes:labelled")


def test_a_thousand_outputs_without_names_are_imagenets_where_the_images_are_of_some_of_its_classes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thousand = network(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1000)))
    monkeypatch.setitem(own.NAMES, "labelled", ("n01440764", "goldfish", "great_white_shark"))  # type: ignore[arg-type]
    found = Subject.of(thousand).with_data("shapes:labelled")
    labels = found.data.labels("select")
    assert labels is not None and sorted(set(labels.tolist())) == [0, 1, 2] and len(found.info.classes) == 1000
    assert "ImageNet's classes in the usual order" in " ".join(found.remarks)
    monkeypatch.setitem(own.NAMES, "labelled", ("n01440764", "goldfish", "washing machine of mine"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="tells 1,000 classes apart and does not know their names"):
        Subject.of(thousand).with_data("shapes:labelled")


def test_grey_images_are_shown_to_a_network_for_colours_with_imagenets_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ImageFolder and the usual normalisation do, not with their mean over the channels."""
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    np.savez(tmp_path / "a.npz", images=np.zeros((9, 16, 16), np.uint8))
    found = fit(network(), f"npz:{tmp_path / 'a.npz'}").preprocess
    assert found is not None and (found.colour, found.mean, found.std) == ("rgb", IMAGENET["mean"], IMAGENET["std"])


def test_other_numbers_of_channels_are_refused_for_that_reason() -> None:
    many = network(nn.Conv2d(4, 2, 3), any_size=True, example_inputs=torch.zeros(2, 4, 16, 16))
    with pytest.raises(InputError, match=r"net takes 4 channels, and images have 1 \(grey\) or 3 \(RGB\)"):
        Subject.of(many).with_data("shapes:labelled")
