"""Every kind of model reference opens what it names, with the weights it asks for, or says why not."""

import sys
import textwrap
import urllib.error
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import pruning.runs  # noqa: F401 - adds run: to the openers
from pruning.base.digests import weights_digest
from pruning.base.errors import InputError
from pruning.catalog import libraries
from pruning.catalog.openers import check_visitor, open_network, parse_reference
from pruning.subject import open_subject

SMALL = "torchvision:squeezenet1_1?size=64"

NET = """
import torch
from torch import nn

def build():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))

def with_inputs():
    return nn.Conv1d(2, 3, 1), {"input": torch.zeros(2, 2, 5)}

def broken():
    return nn.Linear(3, "4")

def a_dict():
    return build().state_dict()

def leaves():
    raise SystemExit("bye")

class Net(nn.Linear):
    def __init__(self):
        super().__init__(5, 6)

def wide(width):
    return nn.Linear(width, 2)

def any_size():
    return nn.Conv2d(3, 4, 3)

def _hidden():
    return build()
"""


@pytest.fixture
def net(tmp_path) -> Path:
    (tmp_path / "net.py").write_text(NET)
    return tmp_path / "net.py"


def state_of(ref: str) -> dict[str, torch.Tensor]:
    return open_network(ref).model.state_dict()


def test_options_are_parsed_apart():
    parsed = parse_reference("torchvision:vit_b_16?size=224&weights=default")
    assert (parsed.kind, parsed.name, parsed.size, parsed.weights) == ("torchvision", "vit_b_16", 224, "default")
    parsed = parse_reference("file:a/b.py:build?weights=w.pt")
    assert (parsed.name, parsed.factory, parsed.weights, parsed.size) == ("a/b.py", "build", "w.pt", None)
    assert parse_reference("run:what?size=3").name == "what?size=3"  # a folder's name is its own


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("lenet5", "Did you mean 'sample:lenet5'?"),
        ("resnet18", "Did you mean 'torchvision:resnet18'?"),
        ("torchvison:resnet18", "Did you mean 'torchvision:resnet18'?"),
        ("net.py:build", "Did you mean 'file:net.py:build'?"),
        ("mine/net.py", "Did you mean 'file:mine/net.py:FACTORY'?"),
        ("mine/w.pt", "Weights alone are no network: name what they are for, with ?weights=FILE behind it."),
        ("torchvision:", "There is no model 'torchvision:'"),
        ("torchvision:resnet19", "Did you mean 'torchvision:resnet18'?"),
        ("torchvision:resnet18?sise=64", "Did you mean 'size'?"),
        ("torchvision:resnet18?size=big", "whole number of pixels"),
        ("torchvision:resnet18?size=0", "from 1 to 8192"),
        ("torchvision:resnet18?size=32&size=64", "gives size twice"),
        ("torchvision:resnet18?weights", "is no option"),
        ("torchvision:vit_b_16?size=100", "torchvision cannot build vit_b_16 with images of 100 pixels"),
        ("torchvision:fasterrcnn_resnet50_fpn", "takes a list of images"),
        ("torchvision:raft_small", "takes two images"),
        ("torchvision:squeezenet1_1?weights=no.pt", "There is no file no.pt"),
        ("torchvision:squeezenet1_1?weights=imagenet", "weights= takes 'default'"),
        ("sample:lenet5?size=64", "leave out '?size=64'"),
        ("sample:lenet6", "Did you mean 'sample:lenet5'?"),
        ("run:nowhere", "no run of that name"),
        ("file:net.txt:build", "names no Python file"),
        ("file:nowhere.py:build", "There is no file"),
        ("file:nowhere.py:build?weights=default", "has no default weights"),
    ],
)
def test_errors_say_what_to_do(ref, words):
    with pytest.raises(InputError) as caught:
        open_network(ref)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a" * 5000, "/" + "b/" * 3000, "a\0b", "a\nb", "~nobody"])
@pytest.mark.parametrize(
    "form", ["{}", "sample:{}", "torchvision:{}", "timm:{}", "run:{}", "file:{}.py:build", "file:net.py:{}",
             "sample:x?{}", "torchvision:resnet18?size={}", "torchvision:resnet18?{}=1",
             "torchvision:squeezenet1_1?weights={}.pt"],
)  # fmt: skip
def test_errors_are_short_whatever_was_asked_for(form, name):
    with pytest.raises(InputError) as caught:
        open_network(form.format(name))
    assert len(str(caught.value)) < 500 and str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["sample:lenet5", "torchvision:resnet18?size=64", "timm:resnet18", "run:anywhere"])
def test_a_visitor_may_open_networks_by_name(text):
    check_visitor(text)


def test_a_visitor_gets_default_weights_only_where_they_are(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    reference = f"{SMALL}&weights=default"
    with pytest.raises(InputError, match="not on this machine"):
        check_visitor(reference)
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth").touch()
    check_visitor(reference)


def test_a_python_file_is_no_model_of_the_app():
    with pytest.raises(InputError, match="cannot be opened in the browser"):
        check_visitor("file:net.py:build")


def test_samples_open_as_trained_networks():
    network = open_network("sample:lenet5")
    assert network.weights == "trained on mnist" and network.title == "LeNet-5"
    assert network.example_inputs.shape == (2, 1, 28, 28) and not network.model.training


def test_torchvision_weights_are_random_seeded_and_say_so():
    before = torch.random.get_rng_state()
    network = open_network(SMALL)
    assert torch.equal(torch.random.get_rng_state(), before)  # the caller's own random numbers go on as they were
    assert network.weights == "random, seed 0" and network.example_inputs.shape == (2, 3, 64, 64)
    torch.rand(3)
    again = state_of(SMALL)
    assert all(torch.equal(tensor, again[name]) for name, tensor in network.model.state_dict().items())


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("squeezenet1_1", (3, 224, 224)),
        ("inception_v3", (3, 299, 299)),
        ("efficientnet_b7", (3, 600, 600)),
        ("fcn_resnet50", (3, 520, 520)),
        ("r3d_18", (3, 16, 112, 112)),
    ],
)
def test_the_input_size_is_that_of_the_trained_weights(name, shape):
    from torchvision.models import get_model_builder, get_model_weights

    family = get_model_builder(name).__module__.split(".")[2]
    assert libraries._shape_of_images(get_model_weights(name).DEFAULT, family, None) == shape


def test_a_size_goes_to_networks_that_are_built_for_one():
    network = open_network("torchvision:vit_b_32?size=64")
    assert network.model.image_size == 64 and network.example_inputs.shape == (2, 3, 64, 64)


def test_nothing_is_downloaded_unasked(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("downloads")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", refuse)
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    assert open_network("torchvision:lraspp_mobilenet_v3_large?size=64").weights == "random, seed 0"


def test_default_weights_that_cannot_be_fetched_are_an_error(monkeypatch, tmp_path):
    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", offline)
    with pytest.raises(InputError, match=r"could not be fetched .*no route to host.*weights=FILE"):
        open_network("torchvision:squeezenet1_1?weights=default")


def test_default_weights_are_the_librarys(monkeypatch):
    random = state_of(SMALL)
    trained = {name: torch.ones_like(tensor) for name, tensor in random.items()}
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *_, **__: trained)
    network = open_network(f"{SMALL}&weights=default")
    assert network.weights == "torchvision's default, IMAGENET1K_V1"
    assert all(bool((tensor == 1).all()) for tensor in network.model.state_dict().values())


@pytest.mark.parametrize("kind", ["w.safetensors", "w.pt", "wrapped.pth"])
def test_weights_from_a_file(kind, net):
    state = {name: torch.randn_like(tensor) for name, tensor in state_of(f"file:{net}:build").items()}
    path = net.parent / kind
    if kind == "w.safetensors":
        save_file(state, path)
    else:
        torch.save({"epoch": 3, "state_dict": state} if "wrapped" in kind else state, path)
    network = open_network(f"file:{net}:build?weights={path}")
    assert network.weights == f"from {path}"
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.model.state_dict().items())


def test_weights_that_do_not_fit_name_the_first_few(net):
    state = state_of(f"file:{net}:build")
    state["0.weight"] = torch.zeros(5, 3, 3, 3)
    state["head.weight"] = state.pop("3.weight")
    save_file(state, net.parent / "w.safetensors")
    with pytest.raises(InputError) as caught:
        open_network(f"file:{net}:build?weights={net.parent / 'w.safetensors'}")
    for words in ("lacks 1 of the model's: 3.weight", "1 too many: head.weight", "0.weight (5×3×3×3, not 4×3×3×3)"):
        assert words in str(caught.value)


def test_damaged_and_pickled_files_are_refused(net):
    path = net.parent / "w.safetensors"
    path.write_bytes(b"no weights at all")
    with pytest.raises(InputError, match="no readable safetensors file"):
        open_network(f"file:{net}:build?weights={path}")
    path = net.parent / "w.pt"
    torch.save(nn.Linear(2, 2), path)
    with pytest.raises(InputError, match="holds a whole pickled model"):
        open_network(f"file:{net}:build?weights={path}")
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="holds a list that is no state dict"):
        open_network(f"file:{net}:build?weights={path}")


def test_tied_weights_may_stand_in_a_file_once(net):
    net.write_text(
        "from torch import nn\n"
        "def build():\n    two = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))\n"
        "    two[1].weight = two[0].weight\n    return two\n"
    )
    state = state_of(f"file:{net}:build")
    del state["1.weight"]
    save_file(state, net.parent / "w.safetensors")
    assert open_network(f"file:{net}:build?weights={net.parent / 'w.safetensors'}").weights.startswith("from ")


def test_a_factory_returns_a_model_or_a_model_and_its_inputs(net):
    network = open_network(f"file:{net}:build?size=8")
    assert network.example_inputs.shape == (2, 3, 8, 8) and not network.model.training
    assert network.title == "build of net.py" and network.weights == "as build() makes them, seed 0"
    assert open_network(f"file:{net}:build").example_inputs.shape == (2, 3, 8, 8)  # the one size that it takes
    assert open_network(f"file:{net}:any_size").example_inputs.shape == (2, 3, 224, 224)
    given = open_network(f"file:{net}:with_inputs")
    assert set(given.example_inputs) == {"input"} and isinstance(given.model, nn.Conv1d)
    assert isinstance(open_network(f"file:{net}:Net").model, nn.Linear)  # a class without arguments will do
    first, second = state_of(f"file:{net}:build"), state_of(f"file:{net}:build")
    assert torch.equal(first["0.weight"], second["0.weight"])


def test_a_file_may_import_its_neighbours(net):
    (net.parent / "neighbour_of_net.py").write_text("WIDTH = 7\n")
    net.write_text("from torch import nn\nimport neighbour_of_net as n\ndef build(): return nn.Linear(3, n.WIDTH)\n")
    before = list(sys.path)
    assert open_network(f"file:{net}:build").model.out_features == 7
    assert sys.path == before


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (":bild", "no function 'bild' in net.py. Did you mean 'build'? It has build, with_inputs, broken"),
        ("", "no factory named after it"),
        (":wide", "wide() in net.py cannot be called without arguments (missing a required argument: 'width')"),
        (":broken", 'broken() fails at net.py:12 (`return nn.Linear(3, "4")`): TypeError:'),
        (":leaves", 'leaves() fails at net.py:18 (`raise SystemExit("bye")`): SystemExit: bye'),
        (":a_dict", "returned an OrderedDict, not an nn.Module"),
        (":with_inputs?size=5", "leave out size="),
    ],
)
def test_what_is_wrong_with_a_factory_is_said_with_its_line(net, factory, words):
    with pytest.raises(InputError) as caught:
        open_network(f"file:{net}{factory}")
    assert words in str(caught.value) and "\n" not in str(caught.value) and "_hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def build(:\n    pass\n", "at net.py:1 (`def build(:`): SyntaxError"),
        ("import torch\nx = torch.zeros(2) + nothing\n", "at net.py:2 (`x = torch.zeros(2) + nothing`): NameError"),
        ("import no_such_module_here\n", "at net.py:1 (`import no_such_module_here`): ModuleNotFoundError"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(net, code, words):
    net.write_text(code)
    with pytest.raises(InputError) as caught:
        open_network(f"file:{net}:build")
    assert f"Running net.py fails {words}" in str(caught.value) and "\n" not in str(caught.value)


def test_without_timm_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(InputError, match=r"needs timm, not installed here: run .pip install"):
        open_network("timm:resnet18")


def test_timm(tmp_path):
    pytest.importorskip("timm")
    network = open_network("timm:test_resnet?size=64")
    assert network.weights == "random, seed 0" and network.example_inputs.shape == (2, 3, 64, 64)
    assert open_network("timm:test_vit").example_inputs.shape[-1] == 160  # its own size
    assert open_network("timm:test_vit?size=64").model(torch.zeros(1, 3, 64, 64)).shape == (1, 1000)
    for ref, words in (
        ("timm:resnet18x", "Did you mean 'timm:resnet18'?"),
        ("timm:resnet18.no_such_tag", "knows no weights 'no_such_tag'"),
    ):
        with pytest.raises(InputError) as caught:
            open_network(ref)
        assert words in str(caught.value)


def test_a_fake_timm_shows_what_is_asked_of_it(monkeypatch, tmp_path):
    """As CI has no timm: the calls made to it, with a stand-in."""
    folder = tmp_path / "timm"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        textwrap.dedent("""
        from types import SimpleNamespace
        from torch import nn
        calls = []
        def config(name):
            return SimpleNamespace(fixed_input_size=name.startswith("vit"))
        models = SimpleNamespace(get_pretrained_cfg=config)
        def list_models():
            return ["tiny", "vit_tiny"]
        def create_model(name, **options):
            calls.append((name, options))
            if options["pretrained"]:
                raise OSError("offline\\nand more")
            model = nn.Conv2d(1, 2, 3)
            model.default_cfg = {"input_size": (1, 30, 40)}
            return model
        """)
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "timm"]:
        monkeypatch.delitem(sys.modules, name)
    assert open_network("timm:tiny").example_inputs.shape == (2, 1, 30, 40)
    assert open_network("timm:vit_tiny?size=16").example_inputs.shape == (2, 1, 16, 16)
    with pytest.raises(InputError, match=r"default weights of timm:tiny could not be fetched \(offline\)"):
        open_network("timm:tiny?weights=default")
    assert sys.modules["timm"].calls == [
        ("tiny", {"pretrained": False}),
        ("vit_tiny", {"pretrained": False, "img_size": 16}),
        ("tiny", {"pretrained": True}),
    ]
    subject = open_subject("timm:tiny?size=20")
    assert (subject.images, subject.network.data, subject.graph.example_shape) == (None, (), (1, 20, 20))
    del sys.modules["timm"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_weights_of_any_type_have_a_digest(dtype):
    model = nn.Linear(3, 2).to(dtype)
    first = weights_digest(model)
    assert first == weights_digest(model)
    with torch.no_grad():
        model.bias[0] += 1
    assert first != weights_digest(model)
