"""The command line: one JSON object on stdout, one sentence on errors, exit status that scripts can trust."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from pruning.base.errors import StorageError
from pruning.cli.main import main
from pruning.cli.output import emit
from pruning.cli.prune import summary
from pruning.runs import read_run
from pruning.sensitivity import SPARSITIES


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PRUNING_DATA", raising=False)


def call(capsys, *arguments: str) -> tuple[int, dict, str]:
    status = main([*arguments, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out else {}, err


def test_inspect(capsys):
    status, result, _ = call(capsys, "inspect", "sample:lenet5")
    assert status == 0
    assert (result["schema_version"], result["params"], result["macs"]) == (1, 431_080, 2_293_000)
    assert [layer["name"] for layer in result["layers"]] == ["conv1", "conv2", "fc1", "fc2"]
    assert result["provenance"]["data"]["name"] == "mnist"


def test_evaluate_names_the_role(capsys):
    status, result, _ = call(capsys, "evaluate", "sample:lenet300", "--data", "mnist5k", "--role", "test")
    assert (status, result["role"], result["images"]) == (0, "test", 1000)
    assert result["accuracy"] == result["correct"] / 1000
    low, high = result["accuracy_interval"]
    assert low < result["accuracy"] < high


def test_verify(capsys):
    status, result, _ = call(capsys, "verify", "sample:mini_resnet", "--sparsity", "0.5")
    assert (status, result["check"]["status"]) == (0, "exact")
    assert result["params"]["after"] < result["params"]["before"] == 19_928
    assert result["macs"]["after"] < result["macs"]["before"] == 3_133_144

    assert set(result["seconds"]) == {"trace", "group", "remove", "check"}
    assert result["weights"] == "trained on mnist" and result["kept"] and result["locked"][0]["reason"]


def test_verify_says_when_rounding_takes_back_what_sparsity_removes(capsys):
    assert main(["verify", "sample:lenet5", "--sparsity", "0.5", "--round-to", "1000"]) == 0
    out = capsys.readouterr().out
    assert "no group loses a channel at this sparsity, once rounded up to a multiple of 1000" in out


def test_figures_that_json_does_not_know_are_null(capsys):
    emit({"loss": float("nan"), "times": [1.0, float("inf")]}, [], as_json=True)
    assert json.loads(capsys.readouterr().out) == {"loss": None, "times": [1.0, None]}


NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, padding=1)
        self.head = nn.Linear(12, 4)

    def forward(self, x):
        print("the network says", tuple(x.shape))
        return self.head(self.conv(x).relu().mean((2, 3)))

class Fixed(Net):
    def forward(self, x):
        return self.head(self.conv(x).mean((2, 3)).view(-1, 12))

class Branch(Net):
    def forward(self, x):
        return super().forward(x) if x.sum() > 0 else x

class Spare(Net):
    def __init__(self):
        super().__init__()
        self.spare = nn.Linear(12, 2)

def with_inputs():
    return Net(), torch.zeros(2, 3, 6, 6)

def with_a_spare():
    return Spare(), torch.zeros(2, 3, 6, 6)
"""


@pytest.fixture
def net(tmp_path) -> str:
    (tmp_path / "net.py").write_text(NET)
    return f"file:{tmp_path / 'net.py'}"


def test_verify_a_file(capsys, net):
    status, result, err = call(capsys, "verify", f"{net}:with_inputs", "--sparsity", "0.5", "--round-to", "8")
    assert (status, result["check"]["status"], result["round_to"]) == (0, "exact", 8)
    assert result["weights"] == "as with_inputs() makes them, seed 0"
    # 12 → 6, up to 8: weights and biases, and MACs at 6 × 6 positions, counted by hand
    assert result["params"] == {"before": 12 * 27 + 12 + 12 * 4 + 4, "after": 8 * 27 + 8 + 8 * 4 + 4}
    assert result["macs"] == {"before": 36 * 12 * 27 + 12 * 4, "after": 36 * 8 * 27 + 8 * 4}
    assert len(result["kept"]["conv.weight"]["0"]) == 8 and result["locked"][0]["layers"] == ["head"]
    assert "the network says" in err  # stdout holds nothing but the JSON


def test_verify_names_what_its_inputs_do_not_reach(capsys, net):
    status, result, _ = call(capsys, "verify", f"{net}:with_a_spare", "--sparsity", "0.5")
    assert (status, result["check"]["status"], result["unreached"]) == (0, "exact", ["spare"])
    assert main(["verify", f"{net}:with_a_spare", "--sparsity", "0.5"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("unreached"))
    assert line.split(maxsplit=1)[1] == "spare: not used with these inputs, and as wide as before"


def test_verify_says_that_weights_are_random(capsys):
    assert main(["verify", "torchvision:squeezenet1_1?size=64", "--sparsity", "0.5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("squeezenet1_1 (torchvision) at sparsity 0.5: exact")
    assert lines[1] == "weights     random, seed 0 (trained ones: ?weights=default or ?weights=FILE)"
    assert max(map(len, lines)) <= 100


def test_inspect_a_torchvision_network(capsys):
    status, result, _ = call(capsys, "inspect", "torchvision:resnet18?size=32")
    assert (status, result["weights"], result["input_shape"]) == (0, "random, seed 0", [3, 32, 32])
    assert result["params"] == 11_689_512 and result["provenance"] is None
    assert {"conv1", "layer4.1.conv1"} <= {group["name"] for group in result["groups"]}
    assert [group["layers"] for group in result["locked"]] == [["fc"]]


def test_a_network_that_is_all_locked_is_refused(capsys, net):
    status, result, err = call(capsys, "verify", f"{net}:Fixed?size=6", "--sparsity", "0.5")
    assert (status, result["check"]["status"]) == (1, "refused")
    assert result["params"]["before"] == result["params"]["after"]
    assert err.strip().splitlines()[-1].startswith("Error: No channels of this network can be removed: ")
    assert "net.py:17" in err


def test_recipes_for_networks_that_take_other_images_are_refused(capsys, tmp_path):
    from pruning.runs.recipe import Recipe

    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(Recipe(model="torchvision:resnet18", data="mnist5k").to_yaml())
    assert main(["prune", "--recipe", str(recipe)]) == 2
    assert "cannot be used with mnist5k: it takes images of 3×224×224" in capsys.readouterr().err


def test_prune_and_evaluate_the_run(capsys, tmp_path):
    arguments = "prune sample:lenet300 --sparsity 0.5 --finetune-epochs 0.2 --seed 1 --require accuracy>=0.5".split()
    status, result, err = call(capsys, *arguments, "--require", "pruned.params<=200000", "--out", str(tmp_path / "run"))
    assert status == 0 and "fine-tuning" in err
    for side in ("dense", "pruned"):
        assert {"metric", "accuracy", "accuracy_interval", "correct", "images", "role"} <= set(result[side])
        assert {"params", "nonzero", "macs", "bytes", "latency_ms"} <= set(result[side])
        assert set(result[side]["bytes"]) == {"raw", "deflate", "sparse"}
        assert set(result[side]["latency_ms"]) == {"1", "32"}
        assert set(result[side]["latency_ms"]["1"]) == {"median", "low", "high"}
    worst = {"worst_class", "worst_class_drop", "worst_class_images"}
    assert {"metric", "accuracy", "interval", "newly_wrong", "newly_right"} | worst == set(result["difference"])
    assert {"as_cut", "recalibrated", "repaired", "repair", "finetuned"} == set(result["stages"])
    assert result["recipe"]["repair"] == "refit" and result["stages"]["repaired"]["images"] == 1000, "by default"
    assert {"name", "group", "requested", "achieved", "kept", "total"} <= set(result["layers"][0])
    assert {"engine", "threads", "seconds", "speedup", "schema_version"} <= set(result)
    assert any(
        "Compression (deflate) takes off only" in line for line in summary(read_run(tmp_path / "run").result, tmp_path)
    ), "the ledger's sentences"
    status, again, _ = call(capsys, "evaluate", f"run:{tmp_path / 'run'}", "--role", "test")
    assert (status, again["correct"]) == (0, result["pruned"]["correct"])


def test_the_figures_on_the_way_are_printed_with_intervals(repaired_run):
    assert repaired_run.result is not None
    said = " ".join(" ".join(summary(repaired_run.result, repaired_run.path)).split())
    assert re.search(
        r"on the way \d+\.\d\d% \(\d+\.\d\d% to \d+\.\d\d%\) as cut; "
        r"\d+\.\d\d% \(\d+\.\d\d% to \d+\.\d\d%\) repaired \(no training\); on select images",
        said,
    )


@pytest.mark.slow
def test_a_recipe_is_replayed(capsys, tmp_path):
    _, first, _ = call(capsys, "prune", "sample:lenet300", "--granularity", "weight", "--out", str(tmp_path / "a"))
    status, second, _ = call(
        capsys, "prune", "--recipe", str(tmp_path / "a" / "recipe.yaml"), "--out", str(tmp_path / "b")
    )
    assert status == 0
    assert first["stages"] == second["stages"] and first["recipe"] == second["recipe"]


@pytest.mark.parametrize("granularity", ["channel", "weight"])
def test_prune_by_what_train_images_show(capsys, tmp_path, granularity):
    arguments = ["sample:lenet300", "--granularity", granularity, "--criterion", "taylor", "--parameter", "batches=2",
                 "--seed", "3", "--repair", "recalibrate", "--out", str(tmp_path / "run")]  # fmt: skip
    status, result, _ = call(capsys, "prune", *arguments)
    assert status == 0 and result["check"]["status"] == "exact"
    asked = {name: result["recipe"][name] for name in ("granularity", "criterion", "parameters", "seed", "version")}
    assert asked == {
        "granularity": granularity, "criterion": "taylor", "parameters": {"batches": 2}, "seed": 3, "version": 5
    }  # fmt: skip
    assert (tmp_path / "run" / "recipe.yaml").read_text().startswith("version: 5\n")


@pytest.mark.slow
def test_prune_by_batch_norm_and_in_multiples(capsys, tmp_path):
    arguments = ["sample:mini_resnet", "--criterion", "bn_scale", "--round-to", "4", "--out", str(tmp_path / "run")]
    status, result, _ = call(capsys, "prune", *arguments)
    assert status == 0 and result["check"]["status"] == "exact"
    kept = {layer["group"]: layer["kept"] for layer in result["layers"]}
    assert kept == {"conv1": 8, "layer1.0.conv1": 8, "layer2.0.conv1": 12, "layer2.0.conv2/own": 8,
                    "layer3.0.conv1": 16, "layer3.0.conv2/own": 4}  # fmt: skip


def test_sensitivity_and_contest_by_what_train_images_show(capsys, monkeypatch):
    monkeypatch.setitem(SPARSITIES, "channel", (0.5,))
    taylor = ["--criterion", "taylor", "--parameter", "batches=1"]
    status, result, _ = call(capsys, "sensitivity", "sample:lenet300", *taylor, "--images", "100")
    assert status == 0 and result["complete"] and result["joint"]["kept"].keys() == {"fc1", "fc2"}
    assert (result["criterion"], result["parameters"], result["seed"]) == ("taylor", {"batches": 1}, 0)
    arguments = ["--rounds", "2", "--steps", "2", "--seeds", "0,1", "--granularity", "channel", "--sparsity", "0.5"]
    status, result, _ = call(capsys, "contest", "sample:lenet300", *taylor, *arguments)
    assert status == 0 and result["terms"]["criterion"] == "taylor" and result["terms"]["parameters"] == {"batches": 1}


def test_an_unmet_requirement_sets_the_exit_status(capsys):
    arguments = ["sample:lenet300", "--sparsity", "0.9", "--repair", "recalibrate", "--require", "accuracy>=0.999"]
    status, result, err = call(capsys, "prune", *arguments)
    assert status == 1 and result["pruned"]["accuracy"] < 0.999
    assert err.strip().splitlines()[-1] == "Error: The run is done, but does not meet: accuracy>=0.999."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prune", "sample:lenet5", "--sparsity", "1"], "below 1"),
        (["prune", "sample:lenet5", "--sparsity", "-0.1"], "at least 0"),
        (["prune", "sample:lenet5", "--sparsity", "much"], "'much' is not a number"),
        (["prune", "sample:lenet5", "--layer", "cov1=0.5"], "Did you mean 'conv1'?"),
        (["prune", "sample:lenet5", "--layer", "conv1"], "NAME=SPARSITY"),
        (["prune", "sample:lenet5", "--layer", "conv1=0.1", "--layer", "conv1=0.2"], "given twice"),
        (["prune", "sample:mini_resnet", "--layer", "conv1=0.1", "--layer", "layer1.0.conv2=0.2"], "share channels"),
        (["prune", "sample:lenet5", "--require", "accuracy=0.9"], "takes a figure"),
        (["prune", "sample:lenet5", "--granularity", "filter"], "'channel' or 'weight'"),
        (["prune", "sample:lenet5", "--criterion", "bn_scale"], "cannot be ranked by batch norm"),
        (
            ["prune", "sample:lenet5", "--criterion", "taylor", "--parameter", "batches"],
            "--parameter takes NAME=NUMBER",
        ),
        (["prune", "sample:lenet5", "--criterion", "taylor", "--parameter", "batches=0"], "from 1 to 1,000"),
        (["prune", "sample:lenet5", "--parameter", "batches=2"], "it takes none"),
        (["verify", "sample:lenet5", "--sparsity", "0.5", "--criterion", "taylor"], "works without (l2, l1"),
        (["verify", "sample:lenet5", "--sparsity", "0.5", "--criterion", "bn_scale"], "none scales what conv1 makes"),
        (["prune", "sample:lenet5", "--criterion", "l0"], "Choose one of"),
        (["prune", "sample:lenet5", "--steps", "3"], "oneshot"),
        (["prune", "sample:lenet5", "--schedule", "iterative", "--steps", "0"], "at least 1"),
        (["prune", "sample:lenet5", "--finetune-epochs", "1", "--finetune-seconds", "1"], "not both"),
        (["prune", "sample:lenet5", "--finetune-epochs", "-1"], "0 or more"),
        (["prune", "sample:lenet5", "--recipe", "x.yaml"], "leave out model"),
        (["prune", "--recipe", "no-such-file.yaml"], "cannot be read"),
        (["prune", "lenet5"], "Did you mean 'sample:lenet5'?"),
        (["prune"], "which model"),
        (["prune", "sample:lenet5", "--data", "cifar10"], "cannot be used with cifar10"),
        (["evaluate", "sample:lenet5", "--data", "mnist"], "make data"),
        (["evaluate", "sample:lenet5", "--data", "mnist", "--data-dir", "nowhere"], "No mnist images at"),
        (["evaluate", "run:nowhere"], "no run of that name"),
        (["evaluate", "torchvision:resnet18"], "comes without images"),
        (["prune", "file:net.py:build"], "no file net.py"),
        (["prune", "timm:resnet18"], "comes without images"),
        (["verify", "torchvision:resnet19", "--sparsity", "0.5"], "Did you mean 'torchvision:resnet18'?"),
        (["verify", "resnet18", "--sparsity", "0.5"], "Did you mean 'torchvision:resnet18'?"),
        (["verify", "file:nowhere.py:build", "--sparsity", "0.5"], "There is no file"),
        (["verify", "sample:lenet5", "--sparsity", "1"], "below 1"),
        (["verify", "sample:lenet5", "--sparsity", "0.5", "--round-to", "0"], "round_to"),
        (["verify", "sample:lenet5", "--sparsity", "0.5", "--round-to", "1.5"], "not a whole number"),
        (["verify", "sample:lenet5", "--sparsity", "0.5", "--criterion", "l0"], "Choose one of"),
        (["inspect", "timm:resnet18?size=x"], "whole number of pixels"),
        (["frobnicate"], "invalid choice"),
        ([], "required"),
    ],
)
def test_errors_are_one_clear_sentence(capsys, arguments, words):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err and "Traceback" not in err
    assert err.startswith("Error: ") and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["a" * 5000, "/" + "b/" * 3000, "a\0b", "~nobody/x", "two\nlines/x"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "NAME"],
        ["report", "RUN", "--out", "NAME"],
        ["export", "NAME", "recipe"],
        ["export", "RUN", "recipe", "--out", "NAME"],
        ["prune", "--recipe", "NAME"],
        ["worker", "NAME"],
        ["--job", "NAME", "worker", "RUN"],
        ["inspect", "run:NAME"],
        ["inspect", "file:NAME.py:build"],
        ["evaluate", "sample:lenet5", "--data", "NAME"],
        ["evaluate", "sample:lenet5", "--data", "mnist", "--data-dir", "NAME"],
    ],
)
def test_odd_paths_are_refused_in_one_short_sentence(capsys, stored_runs, arguments, name):
    given = [text.replace("NAME", name).replace("RUN", str(stored_runs / "channel")) for text in arguments]
    assert main(given) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("Error: ") and len(err.splitlines()) == 1 and len(err) < 700


def test_control_flow_on_data_is_one_sentence(capfd, net):
    assert main(["verify", f"{net}:Branch?size=6", "--sparsity", "0.5"]) == 2
    out, err = capfd.readouterr()
    *own, last = err.strip().splitlines()
    assert out == "" and last.startswith(
        "Error: What this network does depends on the values of its data, at net.py:21"
    )
    assert set(own) == {"the network says (2, 3, 6, 6)"}  # torch would print its graph here


def test_ctrl_c_cancels_with_130(tmp_path):
    prune = [sys.executable, "-m", "pruning", "prune", "sample:lenet300", "--finetune-epochs", "9999"]
    process = subprocess.Popen(
        [*prune, "--out", str(tmp_path / "r")],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    until = time.monotonic() + 60
    while time.monotonic() < until and not has_trained(tmp_path / "r"):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out == "" and "Traceback" not in err
    assert err.strip().splitlines()[-1].startswith("Cancelled")
    assert read_run(tmp_path / "r").state == "cancelled"


def has_trained(folder) -> bool:
    try:
        return bool(read_run(folder).events().training)
    except StorageError:
        return False
