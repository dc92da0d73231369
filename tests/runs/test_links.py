"""Links: equal plans come back equal, and whatever a stranger writes is refused in a sentence or is a valid plan."""

from __future__ import annotations

import base64
import json
import random
import zlib
from pathlib import Path
from typing import Any

import pytest

from pruning.base.errors import InputError
from pruning.data.readers import READERS
from pruning.runs import links
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec
from tests.toys import own_digits

VERSION_1 = Path(__file__).parents[1] / "fixtures" / "version_1"
PLAN = Recipe(
    model="sample:resnet20",
    data="cifar10",
    prune=PruneSpec(
        granularity="weight",
        criterion="taylor",
        parameters=(("batches", 5),),
        sparsity=1 / 3,
        layers=(("layer1.0.conv1", 0.1 + 0.2), ("läyer/own#2", 0.999)),
        seed=7,
    ),
    schedule="iterative",
    iterations=3,
    finetune_steps=279,
    batch_size=128,
    lr=0.03,
    shift=4,
    precision="bf16",
)


def code(content: Any, version: str = str(links.VERSION), dumps: Any = json.dumps) -> str:
    """What a stranger can write."""
    packed = zlib.compress(content if isinstance(content, bytes) else dumps(content).encode())
    return f"{version}.{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


@pytest.mark.parametrize(
    "link",
    [
        links.Link(),
        links.Link(recipe=PLAN),
        links.Link(recipe=Recipe(model="sample:mini_resnet", data="mnist5k")),
        links.Link(recipe=PLAN.replace(model="torchvision:vit_b_16?size=64&weights=default"), has_images=False),
        links.Link(view={"layer": "conv1", "percent": 40, "lose": 0.5}),
    ],
)
def test_a_link_comes_back_equal(link: links.Link) -> None:
    written = links.encode(link)
    assert links.decode(written) == link
    assert set(written) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."), "as in an address"
    assert links.encode(links.decode(written)) == written


def test_a_link_of_today_means_the_same_tomorrow() -> None:
    """Written by hand from the JSON: a changed default or field name would show here, and asks for a new version."""
    old = code({"plan": {"sparsity": 0.4, "layers": {"fc1": 0.25}, "finetune_steps": 100}})
    assert links.decode(old).recipe == Recipe(
        model="sample:mini_resnet", data="mnist5k", schedule="oneshot", iterations=1, finetune_steps=100,
        batch_size=64, lr=0.02, momentum=0.9, weight_decay=5e-4, shift=0, precision="fp32",
        prune=PruneSpec(
            granularity="channel", criterion="l2", parameters=(), allocation="uniform", sparsity=0.4,
            layers=(("fc1", 0.25),), round_to=1, seed=0,
        ),
    )  # fmt: skip


def test_links_of_version_1_open_and_mean_the_same() -> None:
    """Written by the explorer of that time."""
    old = (VERSION_1 / "link.txt").read_text().strip()
    assert old.startswith("1.")
    link = links.decode(old)
    assert link == links.Link(
        recipe=Recipe.from_file(VERSION_1 / "recipe.yaml"), view={"layer": "conv1", "percent": 40}
    )
    assert links.decode(links.encode(link)) == link
    bare = links.decode((VERSION_1 / "link_without_images.txt").read_text().strip())
    spec = PruneSpec(criterion="l1", sparsity=0.25, head_rounding="up")
    assert bare == links.Link(
        recipe=Recipe(model="torchvision:resnet18?size=64", data="mnist5k", prune=spec), has_images=False
    )


def test_a_plan_with_a_sparsity_for_each_of_many_layers_fits() -> None:
    chance = random.Random(0)
    layers = {f"layer{n % 4}.{n}.conv{n % 3}": chance.randrange(64) / 64 for n in range(106)}
    written = links.encode(links.Link(recipe=PLAN.replace(layers=tuple(layers.items()))))
    assert len(written) < 1500
    too_many = {f"layer{n}.{chance.random()}": chance.random() for n in range(500)}
    with pytest.raises(InputError, match="recipe file"):
        links.encode(links.Link(recipe=PLAN.replace(layers=tuple(too_many.items()))))


@pytest.mark.parametrize("model", ["run:/home/me/runs/1", "file:/home/me/net.py:build", "timm:resnet18?weights=w.pt"])
def test_what_lies_on_this_machine_stays_on_it(model: str) -> None:
    with pytest.raises(InputError, match="this machine") as caught:
        links.encode(links.Link(recipe=PLAN.replace(model=model)))
    assert "/home" not in str(caught.value)
    with pytest.raises(InputError, match="this machine"):
        links.decode(code({"plan": {"model": model}}))


def test_images_on_this_machine_stay_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "own", own_digits(is_path=True))
    with pytest.raises(InputError, match="images are files on this machine") as caught:
        links.encode(links.Link(recipe=PLAN.replace(data="own:/home/me/photos")))
    assert "/home" not in str(caught.value)
    with pytest.raises(InputError, match="images are files on this machine"):
        links.decode(code({"plan": {"data": "own:/etc"}}))


HOSTILE = {
    "nothing": "",
    "no version": "hello",
    "a version that is no number": "x.eNo",
    "digits of another script": "١.eNo",
    "letters that are none": "1.€€€€",
    "spaces": "1.e No",
    "not packed": "1.aGVsbG8",
    "cut off": code({"plan": {"sparsity": 0.25}})[:-4],
    "a letter changed": code({"plan": {"sparsity": 0.25}}).replace("e", "f", 1),
    "more behind it": "1." + base64.urlsafe_b64encode(zlib.compress(b"{}") + b"more").decode().rstrip("="),
    "a bomb": code(b" " * 10_000_000 + b"{}"),
    "too long": "1." + "A" * 10_000,
    "no UTF-8": code(b"\xff\xfe{}"),
    "no JSON": code(b"{'plan': 1}"),
    "no object": code([1, 2]),
    "nested": code(b"[" * 50_000),
    "unknown part": code({"plan": {}, "run": "x"}),
    "plan is a list": code({"plan": [1]}),
    "unknown field": code({"plan": {"path": "x"}}),
    "text for a number": code({"plan": {"sparsity": "0.5"}}),
    "truth for a number": code({"plan": {"seed": True}}),
    "null": code({"plan": {"criterion": None}}),
    "list for a text": code({"plan": {"model": ["sample:lenet5"]}}),
    "list for a data set": code({"plan": {"data": ["mnist5k"]}}),
    "object for a criterion": code({"plan": {"criterion": {}}}),
    "NaN": code(b'{"plan":{"sparsity":NaN}}'),
    "NaN of a layer": code(b'{"plan":{"layers":{"fc1":NaN}}}'),
    "Infinity": code(b'{"plan":{"lr":Infinity}}'),
    "infinite by its size": code(b'{"plan":{"lr":1e999}}'),
    "a number of 5,000 digits": code(b'{"plan":{"seed":' + b"9" * 5000 + b"}}"),
    "a number of 400 digits for a fraction": code(b'{"plan":{"lr":' + b"9" * 400 + b"}}"),
    "all of it removed": code({"plan": {"sparsity": 1.0}}),
    "less than nothing": code({"plan": {"layers": {"fc1": -0.1}}}),
    "another recipe": code({"plan": {"version": 2}}),
    "a field that its version had not": code({"plan": {"round_to": 8}}, version="1"),
    "parameters is a number": code({"plan": {"criterion": "taylor", "parameters": 3}}),
    "a parameter that is none": code({"plan": {"criterion": "taylor", "parameters": {"images": 3}}}),
    "a parameter that is a fraction": code({"plan": {"criterion": "taylor", "parameters": {"batches": 1.5}}}),
    "a parameter out of its range": code({"plan": {"criterion": "taylor", "parameters": {"batches": 10**9}}}),
    "a criterion for other things": code({"plan": {"granularity": "weight", "criterion": "bn_scale"}}),
    "no such allocation": code({"plan": {"allocation": "fair"}}),
    "rounding of weights": code({"plan": {"granularity": "weight", "round_to": 8}}),
    "layers is a list": code({"plan": {"layers": ["fc1"]}}),
    "layers is a number": code({"plan": {"layers": 3}}),
    "a layer of 300 letters": code({"plan": {"layers": {"x" * 300: 0.5}}}),
    "3,000 layers": code({"plan": {"layers": {str(n): 0.5 for n in range(3000)}}}),
    "a name of 10,000 letters": code({"plan": {"criterion": "x" * 10_000}}),
    "no such network": code({"plan": {"model": "nowhere:net"}}),
    "images is a text": code({"images": "no"}),
    "view is a list": code({"view": []}),
    "a list in a view": code({"view": {"layer": []}}),
    "truth in a view": code({"view": {"layer": True}}),
    "half a character in a view": code({"view": {"layer": "\ud800"}}),
    "half a character as a name": code({"view": {"\udfff": 1}}),
    "half a character in a plan": code({"plan": {"layers": {"fc\ud800": 0.5}}}),
    "a view of 30": code({"view": {str(n): n for n in range(30)}}),
}


@pytest.mark.parametrize("written", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_link_is_refused_in_a_sentence(written: str) -> None:
    with pytest.raises(InputError) as caught:
        links.decode(written)
    assert 20 < len(str(caught.value)) < 500
    str(caught.value).encode()  # a page can show it


def test_damage_anywhere_is_noticed_or_harmless() -> None:
    """Every letter of a link in turn is changed or left out: never another plan."""
    link = links.Link(recipe=PLAN)
    written = links.encode(link)
    for place in range(len(written)):
        for damaged in (written[:place] + "A" + written[place + 1 :], written[:place] + written[place + 1 :]):
            try:
                found = links.decode(damaged)
            except InputError:
                continue
            assert found == link, f"letter {place}"


def test_a_newer_link_says_so() -> None:
    with pytest.raises(InputError, match="version 6; this explorer reads version 5"):
        links.decode(code({}, version="6"))


def test_an_address_keeps_the_page_and_what_is_named() -> None:
    link = links.Link(recipe=PLAN)
    made = links.address("https://host.example/app/prune?old=1&r=1.x#y", link, {"run": "a b"})
    assert made == f"https://host.example/app/prune?run=a+b&r={links.encode(link)}"


@pytest.mark.parametrize(
    ("page", "local"),
    [
        ("http://localhost:8501/", True),
        ("http://127.0.0.1:8501/prune", True),
        ("http://127.8.0.1/", True),
        ("http://[::1]:8501/", True),
        ("http://0.0.0.0:8501/", True),
        ("", True),
        ("http://192.168.1.20:8501/", False),
        ("http://localhost.example.com/", False),
        ("https://pruning.example.com/learn", False),
    ],
)
def test_which_addresses_lead_nowhere_for_others(page: str, local: bool) -> None:
    assert links.is_local(page) is local


def test_links_of_version_3_open_and_mean_the_same() -> None:
    """As the explorer wrote them before a recipe could speak of one's own images."""
    plan = {"sparsity": 0.3, "lr": 0.01, "finetune_steps": 60, "head_rounding": "up", "shift": 2}
    found = links.decode(code({"plan": plan, "view": {"layer": "conv1"}}, version="3"))
    assert found == links.Link(
        recipe=Recipe(
            model="sample:mini_resnet", data="mnist5k", prune=PruneSpec(sparsity=0.3, head_rounding="up"), lr=0.01,
            finetune_steps=60, shift=2, optimiser="sgd", batch_norm="learnt", augment="known", distillation=None,
            preprocess=None,
        ),
        view={"layer": "conv1"},
    )  # fmt: skip
    assert links.decode(links.encode(found)) == found
    with pytest.raises(InputError, match="unknown field 'optimiser'"):
        links.decode(code({"plan": {"optimiser": "sgd"}}, version="3"))


def test_what_training_of_today_adds_travels() -> None:
    link = links.Link(
        recipe=PLAN.replace(optimiser="adamw", augment="flip,cutmix", distillation=0.25, batch_norm="fixed")
    )
    assert links.decode(links.encode(link)) == link
