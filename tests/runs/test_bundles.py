"""Bundles taken in as runs, and weights that come back: what is read, what is refused, what is measured anew."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file, save_model

from pruning.base.errors import InputError, PruningError, StorageError
from pruning.catalog.openers import open_network
from pruning.cli.main import main
from pruning.export.bundle.of_run import export_run
from pruning.export.bundle.shipped import load as loader
from pruning.runs import Run, create_run, execute, read_run, read_runs
from pruning.runs.bring_back import Asked, bring_back
from pruning.runs.bundled import FORMAT, RUN, VERSION
from pruning.runs.recipe import Recipe
from pruning.runs.take_in import opened_bundle, take_in
from pruning.spec import PruneSpec

STORED = Path(__file__).parents[1] / "fixtures" / "runs"


def made(recipe: Recipe, folder: Path) -> Run:
    execute(create_run(recipe, path=folder))
    return read_run(folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """LeNet-5 with half its channels."""
    recipe = Recipe(model="sample:lenet5", data="mnist5k", prune=PruneSpec(sparsity=0.5))
    return made(recipe, tmp_path_factory.mktemp("made") / "runs" / "half")


@pytest.fixture(scope="module")
def bundle(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its bundle, with weights alone."""
    return export_run(run, tmp_path_factory.mktemp("out") / "bündel", forms=("weights",)).path


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for runs."""
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def zipped(
    folder: Path, out: Path, change: Callable[[str, bytes], bytes | None] = lambda name, content: content
) -> Path:
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                content = change(path.name, path.read_bytes())
                if content is not None:
                    archive.writestr(f"{folder.name}/{path.relative_to(folder).as_posix()}", content)
    return out


def test_both_sides_write_and_read_the_same_format() -> None:
    assert (loader.FORMAT, loader.VERSION) == (FORMAT, VERSION)


def test_a_bundle_becomes_the_run_that_it_was_made_of(run: Run, bundle: Path, runs: Path, tmp_path: Path) -> None:
    for place in (bundle, zipped(bundle, tmp_path / "sent.zip")):
        found = take_in(place, runs)
        again = read_run(found.path)
        assert again.result == run.result and again.recipe == run.recipe and again.created == run.created
        assert again.brought and not run.brought
        one, two = (open_network(each.ref).model.state_dict() for each in (run, again))
        assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
    assert len(read_runs(runs).runs) == 2 and not [name for name in os.listdir(runs) if name.startswith(".")]


def test_nothing_of_a_bundle_but_three_files_is_read(bundle: Path, runs: Path, tmp_path: Path) -> None:
    def hostile(name: str, content: bytes) -> bytes | None:
        return content if name in ("config.json", "run.json", "model.safetensors") else b"raise SystemExit('it ran')"

    found = take_in(zipped(bundle, tmp_path / "sent.zip", hostile), runs)
    assert read_run(found.path).result is not None
    assert not list(found.path.rglob("*.py"))


def test_no_folder_of_this_machine_is_told(run: Run, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    text = (bundle / RUN).read_text()
    assert str(run.path.parent) not in text and str(Path.home()) not in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda name, content: None if name == "config.json" else content, "it has no config.json"),
        (lambda name, content: None if name == "run.json" else content, "no bundle of a run"),
        (lambda name, content: None if name == "model.safetensors" else content, "holds no weights"),
        (lambda name, content: content[:-20] if name == "model.safetensors" else content, "damaged"),
        (lambda name, content: content[:300] if name == "run.json" else content, "run.json"),
        (lambda name, content: b"[]" if name == "config.json" else content, "config.json"),
        (lambda name, content: content.replace(b'"weights": "', b'"weights": "../'), "holds no weights"),
        (lambda name, content: content.replace(b'"version": 1,', b'"version": 99,'), "later version"),
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_refused_in_a_sentence_and_leaves_nothing(
    change: Callable[[str, bytes], bytes | None], said: str, bundle: Path, runs: Path, tmp_path: Path
) -> None:
    with pytest.raises(PruningError, match=said):
        take_in(zipped(bundle, tmp_path / "sent.zip", change), runs)
    assert not os.listdir(runs)


def test_what_is_no_zip_file_or_holds_links_is_refused(bundle: Path, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "not.zip").write_bytes(b"PK\x03\x04 and nothing else")
    with pytest.raises(InputError, match="is no bundle"):
        take_in(tmp_path / "not.zip", runs)
    with pytest.raises(InputError, match="There is no bundle"):
        take_in(tmp_path / "absent.zip", runs)
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        info = zipfile.ZipInfo("b/config.json")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match="a link or a device"):
        take_in(tmp_path / "link.zip", runs)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/config.json", b" " * 20_000_000)
    with pytest.raises(InputError, match="unpacks to far more"):
        take_in(tmp_path / "bomb.zip", runs)


def test_weights_that_come_back_are_measured_anew(
    run: Run, bundle: Path, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = {name: 0.9 * tensor for name, tensor in load_file(bundle / "model.safetensors").items()}
    save_file(weights, tmp_path / "trained.safetensors")
    assert main(["import", str(bundle), str(tmp_path / "trained.safetensors"), "--no-times", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    back = read_run(Path(told["run"]))
    assert told["measured"] and back.result is not None and run.result is not None
    assert back.result.dense.test == run.result.dense.test, "the same unpruned network, on the same images"
    assert (back.result.pruned.params, back.result.pruned.macs) == (run.result.pruned.params, run.result.pruned.macs)
    model = open_network(back.ref).model.state_dict()
    assert all(torch.equal(model[name], weights[name]) for name in weights)
    assert back.origin == "sample:lenet5"


@pytest.mark.parametrize("more", [["--size=32"], ["--data=mnist"], ["--out=here"]])
def test_what_import_does_not_heed_is_refused(
    more: list[str], bundle: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(bundle), *more]) == 2
    assert "Error: " in capsys.readouterr().err and not runs.exists()


def test_weights_of_another_network_are_refused_and_leave_no_run(bundle: Path, runs: Path, tmp_path: Path) -> None:
    weights = load_file(bundle / "model.safetensors")
    name = next(name for name, tensor in weights.items() if tensor.dim() == 4)
    save_file({**weights, name: weights[name][:-1].contiguous()}, tmp_path / "other.safetensors")
    with opened_bundle(bundle) as found, pytest.raises(InputError, match=name.partition(".")[0]):
        bring_back(found, tmp_path / "other.safetensors", Asked())
    save_file({**weights, name: weights[name] * float("nan")}, tmp_path / "nan.safetensors")
    with opened_bundle(bundle) as found, pytest.raises(InputError, match=r"NaN|finite"):
        bring_back(found, tmp_path / "nan.safetensors", Asked())
    assert not runs.exists()


@pytest.mark.slow
def test_zeros_that_were_trained_away_are_said(runs: Path, tmp_path: Path) -> None:
    spec = PruneSpec(sparsity=0.5, granularity="weight", criterion="l1")
    run = made(Recipe(model="sample:lenet300", data="mnist5k", prune=spec), tmp_path / "made")
    bundle = export_run(run, tmp_path / "bundle", forms=("weights",)).path
    weights = load_file(bundle / "model.safetensors")
    first = open_network(run.ref).held_zero[0]
    save_file({**weights, first: weights[first] + 0.01}, tmp_path / "trained.safetensors")
    with opened_bundle(bundle) as found:
        folder, remarks = bring_back(found, tmp_path / "trained.safetensors", Asked())
        assert any("have other values now in 1 of" in remark for remark in remarks)
        again, silent = bring_back(found, bundle / "model.safetensors", Asked())
    assert not silent
    held = set(open_network(f"run:{folder}/brought").held_zero)
    assert held == set(open_network(run.ref).held_zero) - {first}
    assert set(open_network(f"run:{again}/brought").held_zero) == held | {first}
    assert "model = load(masks=True).train()" in (bundle / "README.md").read_text()


def test_weights_that_were_trained_under_masks_come_back_with_their_zeros(runs: Path, tmp_path: Path) -> None:
    bundle = export_run(read_run(STORED / "weight"), tmp_path / "bundle", forms=("weights",)).path
    network = open_network(f"run:{STORED / 'weight'}")
    model, inputs = network.model, torch.randn(8, 1, 28, 28)
    assert not loader.hold_zeros(model, network.held_zero, lambda: model(inputs))
    optimiser = torch.optim.SGD(model.train().parameters(), lr=0.01, momentum=0.9, weight_decay=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        model(inputs).square().mean().backward()
        optimiser.step()
    save_model(model.eval(), str(tmp_path / "trained.safetensors"))
    with opened_bundle(bundle) as found:
        folder, remarks = bring_back(found, tmp_path / "trained.safetensors", Asked())
    assert len(remarks) == 1 and "masks of torch.nn.utils.prune" in remarks[0]
    back = open_network(f"run:{folder}/brought")
    assert set(back.held_zero) == set(network.held_zero)
    before = open_network(f"run:{STORED / 'weight'}").model.state_dict()
    for name, tensor in back.model.state_dict().items():
        if name in back.held_zero:
            assert torch.equal(tensor == 0, before[name] == 0) and not torch.equal(tensor, before[name])


@pytest.mark.slow
def test_a_network_of_a_python_file_comes_back_where_it_came_from_and_elsewhere_asks_for_it(
    runs: Path, tmp_path: Path
) -> None:
    code = tmp_path / "nets" / "net.py"
    code.parent.mkdir()
    code.write_text(
        "import torch\nfrom torch import nn\n\ndef build():\n"
        "    torch.manual_seed(0)\n    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3),\n"
        "        nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))\n"
        "    return net, torch.zeros(2, 1, 28, 28)\n"
    )
    root = f"file:{code}:build"
    torch.save(open_network(root).model.state_dict(), tmp_path / "dense.pt")
    root += f"?weights={tmp_path / 'dense.pt'}"
    run = made(Recipe(model=root, data="mnist5k", prune=PruneSpec(sparsity=0.5)), runs / "own")
    bundle = export_run(run, tmp_path / "bundle", forms=("weights",)).path
    assert str(tmp_path) not in (bundle / RUN).read_text()
    with opened_bundle(bundle) as found:
        folder, _ = bring_back(found, bundle / "model.safetensors", Asked())
        assert execute(folder).pruned.test is not None
        shutil.rmtree(run.path)
        with pytest.raises(InputError, match="--dense"):
            bring_back(found, bundle / "model.safetensors", Asked())
        bring_back(found, bundle / "model.safetensors", Asked(dense=root))
    taken = take_in(bundle, runs)
    assert any("Python file" in remark for remark in taken.remarks)
    with pytest.raises(StorageError):
        open_network(f"run:{taken.path}")
