"""The notebook's way in: its figures are the engine's, and the example notebook runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import pruning
from pruning.base.errors import InputError
from pruning.cost.counts import count_macs, shapes_after
from pruning.data.readers import open_data
from pruning.notebook import Network
from pruning.notebook import open as open_network
from pruning.planning.plan import make_plan
from pruning.removal.apply import removed_model
from pruning.spec import PruneSpec
from pruning.statistics.distributions import unit_norms, weight_histogram
from pruning.statistics.gather import gather_scores
from pruning.subject import open_subject
from pruning.training.evaluate import evaluate
from tests.graph.constructs.attention import AttentionModule

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def network() -> Network:
    return pruning.open("sample:lenet300")


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, pruning; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert pruning.remove_channels.__module__ == "pruning.removal.remove"


def test_star_import_leaves_pythons_open_alone() -> None:
    names: dict[str, object] = {}
    exec("from pruning import *", names)
    assert "open" not in names and names["Network"] is Network


def test_a_network_by_numbers(network: Network) -> None:
    assert network.params == 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10 == 266_610
    assert network.macs == 784 * 300 + 300 * 100 + 100 * 10
    layers = network.layers()
    assert list(layers["channels"]) == [300, 100, 10]
    assert layers["parameters"].sum() == network.params
    assert layers["share of MACs"].sum() == pytest.approx(1)
    assert layers["group"].iloc[-1].startswith("locked: ")


def test_figures_show_the_engines_numbers(network: Network) -> None:
    name = network.layers().index[0]
    weight = network.weight(name)
    assert torch.equal(weight, dict(open_subject("sample:lenet300").model.named_parameters())[f"{name}.weight"])
    assert network.histogram(name).data[0].y == weight_histogram(weight).counts
    bars = network.norms(name, "l1", cut=30).data[0]
    assert bars.y == unit_norms(weight, "l1").values
    assert len(set(bars.marker.color[:30])) == 1 and bars.marker.color[29] != bars.marker.color[30]


def test_every_listed_layer_has_its_weight(network: Network) -> None:
    model = AttentionModule().eval()
    attention = open_network(model, (3, 8, 8))
    layers = attention.layers()
    assert "attention" in layers.index, "its weight is called in_proj_weight"
    for name, shape in layers["weights"].items():
        assert " × ".join(map(str, attention.weight(str(name)).shape)) == shape


def test_a_cut_is_the_engines_plan(network: Network) -> None:
    subject = network.subject
    cut = network.cut(0.4, layers={network.layers().index[0]: 0.5})
    plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.4, layers=((network.layers().index[0], 0.5),)))
    assert cut.plan.kept == plan.kept and list(cut.table()["kept"]) == [150, 60]
    assert cut.params == 784 * 150 + 150 + 150 * 60 + 60 + 60 * 10 + 10
    assert cut.macs == count_macs(subject.graph, shapes_after(subject.graph, plan))
    data = open_data("mnist5k")
    plain = evaluate(removed_model(subject.model, subject.graph, plan), data, "select", limit=200)
    found = cut.accuracy(images=200)
    assert torch.equal(found.scores, plain.scores) and found.interval == plain.interval
    assert repr(found).startswith(f"{100 * plain.value:.1f} % (") and "200 select images, as cut" in repr(found)
    assert sum(p.numel() for p in cut.model().parameters()) == cut.params
    recipe = cut.recipe(finetune_epochs=2)
    assert (recipe.prune, recipe.finetune_steps) == (cut.spec, 2 * (3000 // 32))
    assert (cut.spec.sparsity, cut.spec.layers) == (0.4, ((network.layers().index[0], 0.5),))


def test_a_cut_of_single_weights_keeps_every_shape(network: Network) -> None:
    cut = network.cut(0.9, granularity="weight")
    assert (cut.params, cut.macs) == (network.params, network.macs)
    zeros = sum(int((p == 0).sum()) for p in cut.model().parameters())
    assert zeros >= int(0.9 * (784 * 300 + 300 * 100 + 1000)) - 3
    assert cut.savings.nonzero == network.params - zeros


def test_a_cut_by_what_train_images_show(network: Network) -> None:
    cut = network.cut(0.5, criterion="taylor", parameters={"batches": np.int64(2)}, seed=np.int64(1))
    subject = network.subject
    statistics = gather_scores(subject.model, subject.graph, subject.data, cut.spec)
    assert cut.plan.kept == make_plan(subject.model, subject.graph, cut.spec, statistics).kept
    assert cut.spec.parameters == (("batches", 2),) and cut.recipe().prune == cut.spec
    assert "50 % of the channels by taylor" in repr(cut)
    assert network.cut(0.5, round_to=64).table()["kept"].tolist() == [192, 64]


def test_a_cut_is_repaired_alone_and_by_default_in_its_run(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    cut = network.cut(0.8)
    found = cut.repair()
    assert found.check.status == "exact" and found.how.method in ("bias", "refitted")
    assert found.accuracy().value > cut.accuracy().value + 0.1 and "repaired" in repr(found.accuracy())
    result = cut.run(finetune_epochs=0).run.result
    assert result is not None and result.recipe.repair == "refit" and result.check.status == "exact"
    assert result.stages.repaired is not None and result.stages.repaired.value == found.accuracy().value


def test_everything_shows_itself(network: Network) -> None:
    assert "266,610" in network._repr_html_() and "266,610" in repr(network)
    html = network.cut(0.5)._repr_html_()
    assert "÷ 2.12" in html, "266,610 / 125,810"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda network: network.histogram("conv9"),
        lambda network: network.cut(1.0),
        lambda network: network.cut(0.5, seed=1.5),
        lambda network: network.cut(0.5, seed=-1),
        lambda network: network.cut(0.5).latency(0),
        lambda network: network.cut(0.5).latency(1.5),
        lambda network: network.cut(0.5).accuracy(images=1.5),
        lambda network: network.cut(0.5).accuracy(images=0),
        lambda network: network.cut(0.5).accuracy(role="zz"),
        lambda network: network.cut(0.5, criterion="best"),
        lambda network: network.cut(0.5, criterion="bn_scale"),
        lambda network: network.cut(0.5, criterion="taylor", parameters={"batches": 1.5}),
        lambda network: network.cut(0.5, criterion="taylor", parameters={"images": 2}),
        lambda network: network.cut(0.5, round_to=0),
        lambda network: pruning.open("torchvision:squeezenet1_1?size=64").cut(0.5, criterion="taylor"),
        lambda network: pruning.open("sample:lenet300", data="cifar10"),
        lambda network: pruning.open("sample:lenet30"),
        lambda network: pruning.open("torchvision:alexnet?size=64").images,
    ],
)
def test_mistakes_are_said_in_a_sentence(network: Network, wrong: object) -> None:
    with pytest.raises(InputError):
        wrong(network)  # type: ignore[operator]


def test_without_batch_norm_nothing_is_called_recalibrated(network: Network) -> None:
    assert network.cut(0.4).accuracy(images=100, recalibrated=True).how == "as cut"


@pytest.mark.slow
def test_the_example_notebook_runs(tmp_path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(ROOT / "docs" / "example.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells), "kept without outputs: they would go stale"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PRUNING_RUNS": str(tmp_path / "runs"),
        "OMP_NUM_THREADS": "1",
    }
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env=environment)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.output_type == "error"] == []
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert "application/vnd.plotly.v1+json" in kinds and "text/html" in kinds
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "result.json").is_file() and (tmp_path / "report.html").stat().st_size < 8_000_000


def test_own_images_by_path_or_reference(tmp_path: Path) -> None:
    from torch import nn

    from tests import own

    with own.added():
        net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))
        opened = pruning.open(
            net, (3, 16, 16), data="shapes:labelled", preprocess={"size": 16, "mean": [0.5] * 3, "std": [0.5] * 3}
        )
        assert opened.subject.preprocess is not None and opened.subject.preprocess.mean == (0.5,) * 3
        assert opened.cut(0.5).accuracy(images=60).metric.name == "accuracy"
        plain = pruning.open(net, (3, 16, 16), data="shapes:plain")
        assert plain.cut(0.0).accuracy(images=60).value == 1.0
        assert "agreement with the unpruned network" in plain.cut(0.5).accuracy(images=60).metric.title
    with pytest.raises(InputError, match="neither a data set nor a file or folder"):
        pruning.open(net, (3, 16, 16), data=tmp_path / "nowhere")


@pytest.mark.parametrize("data", [[1, 2], np.zeros(3), torch.utils.data.TensorDataset(torch.zeros(3))])
def test_data_that_is_no_path_is_refused_with_the_way_to_name_it(data: object) -> None:
    with pytest.raises(InputError, match=r"data takes the name of a data set, .* not an? .*PATH\.py:FUNCTION"):
        open_network("sample:lenet300", data=data)  # type: ignore[arg-type]
