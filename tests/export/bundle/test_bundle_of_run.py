"""A finished run as a bundle: what is in it, that it works where nothing of ours is, and what it tells."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from pruning.base.errors import Cancelled, InputError
from pruning.catalog.model_files import call_factory
from pruning.cli.main import carry_out, main
from pruning.export.bundle.forms import FORMS
from pruning.export.bundle.of_run import export_run
from pruning.export.bundle.start import Options, job_of, read_bundle
from pruning.export.bundle.written import Bundle
from pruning.export.record import Source
from pruning.export.table import EXPORTS
from pruning.notebook import Result
from pruning.runs import Run, create_run, execute, read_run
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec
from pruning.subject import open_subject


def made(recipe: Recipe, folder: Path) -> Run:
    execute(create_run(recipe, path=folder))
    return read_run(folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Mini ResNet with half its channels."""
    recipe = Recipe(model="sample:mini_resnet", data="mnist5k", prune=PruneSpec(sparsity=0.5))
    return made(recipe, tmp_path_factory.mktemp("bundle") / "runs" / "half")


@pytest.fixture(scope="module")
def bundle(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Its bundle, with eight images."""
    return export_run(run, tmp_path_factory.mktemp("out") / "büündel mit Bildern", images=8)


def python(code: str, folder: Path) -> str:
    """What a clean Python says in a folder: without this repository."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-Bc", code], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_form_is_in_it_and_agrees(bundle: Bundle) -> None:
    assert bundle.left_out == ()
    assert [proof.form for proof in bundle.proofs] == list(FORMS)
    for proof in bundle.proofs:
        assert proof.status == "agrees" and proof.batches == (8, 1, 2, 5) and proof.tops > 8, proof
        assert proof.worst is not None and proof.worst <= 1
        assert ("torch" in proof.versions) == (not proof.form.endswith("onnx")), proof.versions
    assert json.loads((bundle.path / "proof.json").read_text())["forms"][0]["status"] == "agrees"
    weights = bundle.proofs[0]
    assert weights.training["moved"] == weights.training["parameters"] > 10


def test_it_answers_as_the_run_does(bundle: Bundle, run: Run) -> None:
    samples = np.load(bundle.path / "samples.npz")
    model = open_subject(run.ref).model
    with torch.no_grad():
        expected = model(torch.from_numpy(samples["inputs"])).numpy()
    np.testing.assert_allclose(samples["outputs"], expected, rtol=1e-5, atol=1e-5)
    code = (
        "import numpy, torch\nfrom load import load\nsamples = numpy.load('samples.npz')\n"
        "given = load()(torch.from_numpy(samples['inputs'])).detach().numpy()\n"
        "print(abs(given - samples['outputs']).max(), (given.argmax(1) == samples['labels']).sum())"
    )
    apart, right = python(code, bundle.path).split()
    assert float(apart) < 1e-4 and int(right) >= 2


def test_the_readmes_lines_run(bundle: Bundle, tmp_path: Path) -> None:
    from PIL import Image

    shutil.copytree(bundle.path, tmp_path / "moved")
    Image.fromarray(np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)).save(tmp_path / "moved" / "picture.jpg")
    blocks = re.findall(r"```python\n(.*?)```", (bundle.path / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 5
    each = (
        f"import runpy\nfor block in {blocks!r}:\n    exec(block, {{}})\nrunpy.run_path('load.py', run_name='__main__')"
    )
    said = python(each, tmp_path / "moved")
    assert (tmp_path / "moved" / "weights.safetensors").is_file()
    assert said.startswith("Mini ResNet: ") and "It takes N×1×28×28." in said


def test_what_its_card_says(bundle: Bundle, run: Run) -> None:
    card = (bundle.path / "README.md").read_text()
    assert run.result is not None and run.result.pruned.test is not None
    accuracy = f"{100 * run.result.pruned.test.value:.1f} %"
    assert accuracy in card and "●" in card and "| Parameters |" in card and f"{run.result.pruned.params:,} ●" in card
    assert "It contains 8 of your images" in card and "python -m pruning import" in card and "opset 18" in card
    assert "license: mit" in card


def test_the_digests_are_those_of_the_files(bundle: Bundle) -> None:
    told = json.loads((bundle.path / "provenance.json").read_text())
    there = {path.relative_to(bundle.path).as_posix(): path for path in bundle.path.rglob("*") if path.is_file()}
    assert set(there) - {"provenance.json"} == set(told["files"]) and set(bundle.files) == set(there)
    for name, file in told["files"].items():
        assert file["sha256"] == hashlib.sha256(there[name].read_bytes()).hexdigest()
    assert told["images_within"] == 8 and told["licence_of_base_weights"] == "MIT"


def test_nothing_tells_of_this_machine(bundle: Bundle, run: Run) -> None:
    for path in bundle.path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for place in (str(run.path.parent), str(bundle.path.parent), str(Path(__file__).parents[3])):
                assert place.encode() not in content, (path, place)


def test_files_that_do_not_belong_together_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    there = tmp_path / "there"
    shutil.copytree(bundle.path, there)
    spec = importlib.util.spec_from_file_location("load_of_a_copy", there / "load.py")
    assert spec is not None and spec.loader is not None
    loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)

    def said() -> str:
        with pytest.raises(RuntimeError) as error:
            loader.load()
        assert type(error.value).__name__ == "BundleError" and "\n" not in str(error.value)
        return str(error.value)

    weights = json.loads((there / "config.json").read_text())["weights"]
    (there / weights).rename(there / "gone")
    assert said() == f"{weights} is missing beside load.py: keep the bundle's files together."
    (there / weights).write_bytes(b"no tensors")
    assert "is damaged, or is no file of safetensors" in said()
    shutil.copyfile(Path(__file__).parents[3] / "sample_models" / "weights" / "lenet5.safetensors", there / weights)
    assert "does not hold the weights that config.json describes" in said()
    (there / "code" / "architectures.py").unlink()
    assert "The code of the unpruned network is not in this bundle" in said()
    (there / "config.json").write_text('{"architectures": ["Bert"]}')
    assert said().startswith("config.json beside load.py is not that of a bundle")
    (there / "config.json").write_text("[" * 100_000)
    assert said().startswith("config.json beside load.py cannot be read")


def test_the_commands_help_names_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    names = ", ".join(dict.fromkeys(form.asked_by for form in FORMS.values()))
    assert f"only these forms of the network, of {names} (default: all)" in shown


def test_a_folder_is_there_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    for name in ("full", "absent/a", "full/mine.txt"):
        with pytest.raises(InputError, match="name a new or an empty folder, or a file that ends in"):
            export_run(run, tmp_path / name)
    asked = iter(range(10**6))
    with pytest.raises(Cancelled):
        export_run(run, tmp_path / "stopped", cancel=lambda: next(asked) > 8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full"]
    with pytest.raises(InputError, match="has no form 'tflite'"):
        export_run(run, tmp_path / "a", forms=["tflite"])
    with pytest.raises(InputError, match="From 1 to 1,000 images can go along"):
        export_run(run, tmp_path / "a", images=1001)


def test_the_shell_writes_it_and_no_image_goes_along_unasked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(run.path), "recipe", "--with-images", "3"]) == 2
    assert "are of a bundle, not of the format 'recipe'" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["export", str(run.path), "--out", "empty", "--format", "onnx", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["format"] == "bundle" and [form["form"] for form in said["forms"]] == ["onnx", "dense_onnx"]
    assert said["images"] == 0 and not any(name.endswith((".npz", ".png", ".jpg")) for name in said["files"])
    assert "none of your images" in (tmp_path / "empty" / "README.md").read_text()
    assert not (tmp_path / "empty" / "load.py").exists()


TIED = """
from torch import nn
from neighbour import Branch

class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.one, self.two = nn.Conv2d(1, 8, 5, 3), Branch(), Branch()
        self.two.conv.weight = self.one.conv.weight
        self.out = nn.Linear(8, 10)

    def forward(self, x):
        x = self.first(x).relu()
        return self.out((self.one(x) + self.two(2 * x)).relu().mean((2, 3)))
"""
NEIGHBOUR = """
from torch import nn

class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3)

    def forward(self, x):
        return self.conv(x)
"""


def test_a_network_of_ones_own_that_shares_weights(tmp_path: Path) -> None:
    """From the Python file over the run to the bundle, and the file is gone."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "tied.py").write_text(TIED)
    (code / "neighbour.py").write_text(NEIGHBOUR)
    torch.save(call_factory(code / "tied.py", "Tied", seed=3)[0].state_dict(), tmp_path / "mine.pt")
    ref = f"file:{code / 'tied.py'}:Tied?size=28&weights={tmp_path / 'mine.pt'}"
    own = made(Recipe(model=ref, data="mnist5k", prune=PruneSpec(sparsity=0.5)), tmp_path / "runs" / "own")
    found = export_run(own, tmp_path / "out", forms=["weights"])
    (proof,) = found.proofs
    assert proof.status == "agrees" and proof.training["shared"] == 1
    assert {name for name in found.files if name.startswith("code/")} == {"code/tied.py", "code/neighbour.py"}
    assert any("own code goes along" in remark for remark in found.remarks)
    shutil.rmtree(code)
    said = python(
        "from load import load\nmodel = load()\n"
        "print(model.two.conv.weight is model.one.conv.weight, tuple(model.one.conv.weight.shape))",
        found.path,
    )
    assert said.split(" ", 1) == ["True", "(4, 4, 3, 3)\n"]
    for name in found.files:
        assert str(tmp_path).encode() not in (found.path / name).read_bytes(), name


@pytest.mark.slow
def test_a_notebook_gets_a_zip_with_every_form(run: Run, tmp_path: Path) -> None:
    path = Result(run=run).export("bundle", tmp_path / "all.zip")
    with zipfile.ZipFile(path) as file:
        assert {"all/model.onnx", "all/model.pt2", "all/README.md"} <= set(file.namelist())
    content = EXPORTS["bundle"].content(Source.of(run))
    assert content.startswith(b"PK") and not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_a_job_leaves_it_as_its_result(run: Run) -> None:
    options = Options(forms=("onnx",), code=False)
    with job_of(run.path, options).working() as work:
        carry_out(["export", str(run.path), "bundle", "--format", "onnx", "--no-code"], work)
    content = read_bundle(run.path, options)
    assert content is not None
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert "half-bundle/dense.onnx" in file.namelist() and file.testzip() is None
    assert read_bundle(run.path, Options()) is None


@pytest.mark.slow
def test_zeros_go_along_and_are_told(tmp_path: Path) -> None:
    recipe = Recipe(
        model="sample:lenet300",
        data="mnist5k",
        prune=PruneSpec(granularity="weight", criterion="l1", sparsity=0.9),
    )
    found = export_run(made(recipe, tmp_path / "zeros"), tmp_path / "out", forms=["weights"])
    code = (
        "from load import load, read_config\nmodel = load()\n"
        "print(sum(int((p == 0).sum()) for p in model.parameters()), read_config()['held_zero'])"
    )
    zeros, names = python(code, found.path).split(" ", 1)
    assert int(zeros) == pytest.approx(0.9 * 266_200, rel=0.01) and "fc1.weight" in names
    card = (found.path / "README.md").read_text()
    assert "nothing gets faster by them" in card and "dense kernels multiply a zero" in card
