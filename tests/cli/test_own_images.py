"""One's own images on the command line: how they are prepared, the gate, requirements, and refusals before torch."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pruning.base.errors import InputError
from pruning.cli.images import Asked, add_image_options, asked_of, open_asked
from pruning.cli.main import build_parser, main
from pruning.cli.requirements import figures, parse_requirement
from pruning.data.preprocess import IMAGENET, Preprocess
from pruning.spec import PruneSpec
from tests import own
from tests.own import Place

ROOT = Path(__file__).parents[2]
BASE = Preprocess(size=(224, 224), resize=256, mean=IMAGENET["mean"], std=IMAGENET["std"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with own.placed(tmp_path_factory.mktemp("own")) as found:
        yield found


def asked(*options: str) -> Asked:
    parser = argparse.ArgumentParser()
    add_image_options(parser)
    return asked_of(parser.parse_args(["--data", "shapes:labelled", *options]))


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        (["--size", "160"], {"size": (160, 160), "resize": 183}),
        (["--size", "96x128", "--crop", "squash"], {"size": (96, 128), "resize": None}),
        (["--crop", "0.95"], {"resize": 235}),
        (["--crop", "1"], {"resize": 224}),
        (["--resize", "232"], {"resize": 232}),
        (["--colour", "bgr", "--interpolation", "bicubic"], {"colour": "bgr", "interpolation": "bicubic"}),
        (["--mean", "0.5", "--std", "0.2,0.3,0.4"], {"mean": (0.5,) * 3, "std": (0.2, 0.3, 0.4)}),
    ],
)
def test_what_is_asked_for_changes_what_would_count(place: Place, options: list[str], changes: dict[str, Any]) -> None:
    assert asked(*options).applied(BASE) == BASE.replace(**changes)


def test_a_file_says_everything(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "how.yaml"
    file.write_text("size: 64\nresize: 72\nmean: [0.5, 0.5, 0.5]\nstd: [0.5, 0.5, 0.5]\ncolour: bgr\n")
    found = asked("--preprocess", str(file)).preprocess
    assert found == Preprocess(size=(64, 64), resize=72, mean=(0.5,) * 3, std=(0.5,) * 3, colour="bgr")
    assert asked("--preprocess", json.dumps(found.to_values())).preprocess == found, "or the values themselves"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--size", "0"], "1 to 8192"),
        (["--size", "12x"], "HEIGHTxWIDTH"),
        (["--crop", "1.5"], "from 0.05 to 1, or squash"),
        (["--crop", "0.9", "--resize", "256"], "not both"),
        (["--mean", "0.5,0.5"], "one number or three"),
        (["--mean", "nan"], "one number or three"),
        (["--preprocess", "/nowhere/how.yaml"], "no such file"),
        (["--preprocess", "{size: 64, mean: 0.5, std: 0.5, colour: cmyk}"], "rgb, bgr, grey"),
        (["--preprocess", "{size: [1, 2"], "not readable YAML"),
        (["--preprocess", "{size: 64, mean: 0.5, std: 0.5}", "--size", "32"], "leave out --size"),
    ],
)
def test_options_that_are_not_allowed(place: Place, options: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        asked(*options)


def test_published_images_are_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "sample:lenet300", "--size", "20"]) == 2
    assert "--size is for images of your own" in capsys.readouterr().err
    assert main(["evaluate", "sample:lenet300", "--data", "mnist5k", "--colour", "bgr"]) == 2


def test_a_metric_alone_and_any_figure_by_its_path() -> None:
    result = {
        "pruned": {"accuracy": 0.9, "top5": 0.99, "params": 10, "top5_interval": [0.9, 1.0]},
        "difference": {"worst_class_drop": 0.04},
        "speedup": {"1": [1.0, 1.5, 2.0]},
    }
    for text in ("accuracy>=0.9", "top5>0.95", "pruned.params<=10", "speedup.1.0>=1", "pruned.top5_interval.0>0.5"):
        assert parse_requirement(text).holds(result), text
    assert not parse_requirement("worst_class_drop<=0.03").holds(result)
    assert not parse_requirement("difference.worst_class_drop<=0.03").holds(result)
    with pytest.raises(InputError, match="'agreement', which the result does not have"):
        parse_requirement("agreement>=0.5").holds(result)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("accurcy>=0.9", "'accuracy'"),
        ("pruned.parms<=3", "'params'"),
        ("worst_class_dorp<=0.03", "'worst_class_drop'"),
        ("prund.params<=3", "'pruned'"),
        ("dense.latency_ms.1.medan<3", "'median'"),
    ],
)
def test_a_misspelt_figure_is_refused_with_what_was_meant(text: str, hint: str) -> None:
    with pytest.raises(InputError, match=f"which no result has. Did you mean {hint}"):
        parse_requirement(text)


def test_every_figure_of_a_result_is_known(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(place.folder / "all")
    more = [
        "--finetune-epochs",
        "0.5",
        "--augment",
        "flip,crop",
        "--require",
        "worst_class_drop<=1",
        "--require",
        "top5>=0",
    ]
    assert (
        main(["prune", place.ref, "--data", "shapes:labelled", "--sparsity", "0.2", "--out", out, "--json", *more]) == 0
    )
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert result["recipe"]["augment"] == "flip,crop" and result["gate"]["images"] == 120
    assert "Unpruned, build of net.py gets" in said.err and "As expected?" in said.err and "building" not in said.out

    def paths(values: Any, start: str) -> Iterator[str]:
        items = values.items() if isinstance(values, dict) else enumerate(values)
        for key, value in items:
            if isinstance(value, dict | list):
                yield from paths(value, f"{start}{key}.")
            elif isinstance(value, int | float) and not isinstance(value, bool):
                yield f"{start}{key}"

    for name in figures():
        for path in paths({name: result.get(name, {})}, ""):
            assert parse_requirement(f"{path}>=0").path == path


def test_what_is_expected_stops_before_anything_is_pruned(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    out = place.folder / "never"
    asked = ["prune", place.ref, "--data", "shapes:renamed", "--out", str(out), "--expect"]
    assert main([*asked, "accuracy>=0.9"]) == 1 and not out.exists()
    said = capsys.readouterr().err
    assert (
        "It is not as expected (accuracy>=0.9), so nothing else was done" in said
        and "classes in alphabetical order" in said
        and "little more than guessing" in said
    )
    assert main([*asked, "accuracy!0.9"]) == 2 and main([*asked, "params>=3"]) == 2 and not out.exists()
    assert main(["prune", place.ref, "--data", "shapes:plain", "--out", str(out), "--require", "accuracy>=0.9"]) == 2
    assert "'accuracy', which is not measured with these images" in capsys.readouterr().err and not out.exists()


def test_a_refused_run_leaves_no_folder(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    out = place.folder / "refused"
    for more in (["--data", "shapes:two"], ["--data", "shapes:labelled", "--size", "8"], ["--data", "shapes:plain",
                 "--finetune-epochs", "1", "--distillation", "0.5"]):  # fmt: skip
        assert main(["prune", place.ref, *more, "--out", str(out)]) == 2, more
        assert not out.exists()
    assert "tells 3 classes apart" in capsys.readouterr().err


def test_looks_at_test_images_are_counted(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    ask = ["evaluate", place.ref, "--data", "shapes:strange", "--role", "test", "--json"]
    assert main(ask) == 0 and json.loads(capsys.readouterr().out)["test_looks"] == 1
    assert main(ask) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["test_looks"] == 2 and "looked at 2 times for this network" in said.err
    assert main([*ask[:-2], "select", "--json"]) == 0 and "test_looks" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "asked",
    [
        "prune sample:lenet5 --require accurcy>=0.9",
        "prune sample:lenet5 --expect accurcy>=0.9",
        "evaluate sample:lenet5 --data ./nowhere",
        "evaluate sample:lenet5 --data mnist5k --size 32",
        "prune sample:lenet5 --data tests --preprocess {size:",
        "sensitivity sample:lenet5 --data nowhere.zip --images 5",
    ],
)
def test_these_are_refused_before_torch(asked: str) -> None:
    code = f"import sys\nfrom pruning.cli.main import main\nassert main({asked.split()!r}) == 2\n"
    code += "assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_what_a_page_starts_prepares_images_as_the_page_did(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from pruning.contest import Terms
    from pruning.contest import start as races
    from pruning.sensitivity import outline
    from pruning.sensitivity import start as scans
    from pruning.subject import open_subject

    how = own.DEFAULT.replace(colour="bgr")
    subject = open_subject(place.ref, "shapes:labelled", preprocess=how)
    asked: list[list[str]] = []
    for module in (scans, races):
        monkeypatch.setattr(module.LocalExecutor, "submit", lambda self, arguments, job, **how: asked.append(arguments))
    scans.start(subject, outline(subject.digest, subject.graph, subject.data, PruneSpec(), images=60), lose=1.0)
    races.start(Terms(model=place.ref, data="shapes:labelled", preprocess=how, seeds=(0, 1)), subject)
    for arguments in asked:
        args = build_parser().parse_args(arguments)
        found = asked_of(args)
        assert (args.model, found.data, found.preprocess) == (place.ref, "shapes:labelled", how)
    assert len(asked) == 2


def test_a_race_is_trained_as_a_run_is(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    race = ["contest", place.ref, "--sparsity", "0.3", "--steps", "4", "--rounds", "2", "--seeds", "0,1", "--json"]
    assert main([*race, "--data", "shapes:labelled"]) == 0
    said = capsys.readouterr()
    terms = json.loads(said.out)["terms"]
    suits = {"optimiser": "adamw", "lr": 1e-4, "batch_size": 32, "batch_norm": "fixed", "augment": "flip"}
    assert {name: terms[name] for name in suits} == suits, "what suits one's own images"
    assert "select images right. As expected?" in said.err, "the gate stands before a race as well"
    chosen = ["--optimiser", "sgd", "--lr", "0.003", "--batch-size", "16", "--augment", "none", "--batch-norm",
              "learnt", "--weight-decay", "0.001"]  # fmt: skip
    assert main([*race, "--data", "shapes:plain", *chosen]) == 0
    result = json.loads(capsys.readouterr().out)
    terms = result["terms"]
    assert (terms["lr"], terms["batch_size"], terms["augment"], terms["weight_decay"]) == (0.003, 16, "none", 0.001)
    assert "optimiser" not in terms and "batch_norm" not in terms, "as races always were"
    assert result["lanes"][0]["finish"]["steps"] == 4
    assert main([*race, "--data", "shapes:plain", "--distillation", "0.5"]) == 2
    assert "can only learn from the unpruned network's answers" in capsys.readouterr().err
    assert main([*race, "--data", "shapes:labelled", "--expect", "accuracy>=1.0", "--optimiser", "sgd"]) in (0, 1)


def test_a_network_by_name_is_opened_at_the_size_that_is_asked_for(tmp_path: Path) -> None:
    from pruning.subject import open_subject
    from tests import own_files

    photos = own_files.photos_zip(tmp_path / "photos.zip")
    ref, data = "torchvision:squeezenet1_1?classes=3", f"zip:{photos}"
    asked = asked_of(build_parser().parse_args(["evaluate", ref, "--data", data, "--size", "96"]))
    subject = open_asked(ref, asked)
    assert subject.ref == f"{ref}&size=96" or subject.ref == "torchvision:squeezenet1_1?size=96&classes=3"
    assert subject.preprocess is not None and subject.preprocess.size == (96, 96)
    assert subject.graph.example_shape == (3, 96, 96)
    again = open_subject(ref, data, None, subject.preprocess)
    assert again.ref == subject.ref, "a recipe with these opens the same"
    with pytest.raises(InputError, match="says size=64, but the images are to be 96×96"):
        open_asked(f"{ref}&size=64", asked)
