"""Recipes round-trip, and what is not a recipe is refused in one sentence."""

from pathlib import Path

import pytest

from pruning.base.errors import InputError
from pruning.data.preprocess import Preprocess
from pruning.runs.recipe import Recipe
from pruning.spec import RUN, PruneSpec

VERSION_1 = Path(__file__).parents[1] / "fixtures" / "version_1"
RECIPE = Recipe(
    model="sample:lenet5", data="mnist5k", finetune_steps=10, prune=RUN.replace(layers=(("conv1", 0.25),), seed=7)
)


def test_round_trip():
    assert Recipe.from_yaml(RECIPE.to_yaml()) == RECIPE


def test_file_round_trip(tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE.to_yaml())
    assert Recipe.from_file(tmp_path / "recipe.yaml") == RECIPE
    with pytest.raises(InputError, match="cannot be read"):
        Recipe.from_file(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 6\nmodel: a\ndata: mnist5k", "version 6"),
        ("version: 5\nmodel: a\ndata: mnist5k\nrepair: magic", "none, recalibrate, bias, refit"),
        ("version: 3\nmodel: a\ndata: mnist5k\noptimiser: sgd", "unknown field 'optimiser'"),
        ("version: 4\nmodel: a\ndata: mnist5k\noptimiser: adam", "sgd, adamw"),
        ("version: 4\nmodel: a\ndata: mnist5k\naugment: flip,spin", "randaugment"),
        ("version: 4\nmodel: a\ndata: mnist5k\ndistillation: 2", "between 0 and 1"),
        ("version: 4\nmodel: a\ndata: mnist5k\ndistillation: lots", "a number"),
        ("version: 4\nmodel: a\ndata: mnist5k\npreprocess: 224", "names and values"),
        ("version: 4\nmodel: a\ndata: mnist5k\npreprocess: {size: 224}", "'mean' is missing"),
        ("version: 2\nmodel: a\ndata: mnist5k\nhead_rounding: up", "unknown field 'head_rounding'"),
        ("version: 3\nmodel: a\ndata: mnist5k\nhead_rounding: near", "down"),
        ("version: 0\nmodel: a\ndata: mnist5k", "version 0"),
        ("version: true\nmodel: a\ndata: mnist5k", "version True"),
        ("version: '1'\nmodel: a\ndata: mnist5k", "version '1'"),
        ("version: 1\nmodel: a\ndata: mnist5k\nround_to: 8", "unknown field 'round_to'"),
        ("version: 2\nmodel: a\ndata: mnist5k\nround_to: 0", "round_to"),
        ("version: 2\nmodel: a\ndata: mnist5k\nallocation: fair", "uniform"),
        ("version: 2\nmodel: a\ndata: mnist5k\nparameters: {batches: 3}", "takes none"),
        ("version: 2\nmodel: a\ndata: mnist5k\ncriterion: taylor\nparameters: {batches: 0}", "1 to 1,000"),
        ("version: 2\nmodel: a\ndata: mnist5k\ncriterion: taylor\nparameters: {batches: 2.5}", "a whole number"),
        ("version: 2\nmodel: a\ndata: mnist5k\nparameters: 3", "names with whole numbers"),
        ("version: 2\nmodel: a\ndata: mnist5k\nprune: {}", "unknown field 'prune'"),
        ("version: 2\nmodel: a\ndata: mnist5k\ncriterion: bn_scale\ngranularity: weight", "channels only"),
        ("model: a", "not a recipe"),
        ("- 1\n- 2", "not a recipe"),
        ("a: [", "not readable YAML"),
        ("a: [", "(line 1)"),
        ("version: 1\nmodel: a\ndata: mnist5k\nsparsty: 0.5", "unknown field 'sparsty'"),
        ("version: 1\ndata: mnist5k", "does not say 'model'"),
        ("version: 1\nmodel: a\ndata: imagenet", "no data set 'imagenet'"),
        ("version: 1\nmodel: a\ndata: mnist5k\nsparsity: 1", "below 1"),
        ("version: 1\nmodel: a\ndata: mnist5k\nsparsity: lots", "must be a number"),
        ("version: 1\nmodel: a\ndata: mnist5k\nlayers: {conv1: 2}", "layer conv1"),
        ("version: 1\nmodel: a\ndata: mnist5k\nlayers: [conv1]", "layer names with numbers"),
        ("version: 1\nmodel: 3\ndata: mnist5k", "must be a text"),
        ("version: 1\nmodel: a\ndata: mnist5k\nseed: -1", "between"),
        ("version: 1\nmodel: a\ndata: mnist5k\nfinetune_steps: 1.5", "a whole number"),
        ("version: 1\nmodel: a\ndata: mnist5k\nlr: .nan", "between"),
        ("version: 1\nmodel: a\ndata: mnist5k\nschedule: never", "oneshot, iterative"),
        ("version: 1\nmodel: a\ndata: mnist5k\niterations: 3", "1 iteration"),
        ("version: 1\nmodel: !!python/object/apply:os.system [ls]\ndata: mnist5k", "not readable YAML"),
        ("x" * 300_000, "too large"),
        ("version: 1\nmodel: a\ndata: mnist5k\nseed: 2024-13-01", "not readable YAML: month"),
        ("version: 1\nmodel: a\ndata: mnist5k\nseed: 0x_", "not readable YAML"),
        ("version: 1\nmodel: a\ndata: mnist5k\nseed: !!int ''", "not readable YAML"),
        ("version: 1\nmodel: a\ndata: mnist5k\nseed: !!timestamp x", "not readable YAML"),
        ("version: 1\nmodel: a\ndata: mnist5k\nseed: " + "9" * 5000, "not readable YAML"),
        ("version: 1\nmodel: a\ndata: mnist5k\nseed: 0x" + "f" * 9000, "a number is too large"),
        ("version: 0x" + "f" * 9000, "a number is too large"),
        ("a: " + "[" * 3000, "not readable YAML"),
        ("version: !" + "a" * 100_000 + " 1", "not readable YAML"),
        ("a: &a [x, x]\nversion: *a", "not readable YAML: a part is repeated by an alias (*)"),
        ('version: 1\nmodel: "\\ud800"\ndata: mnist5k', "stray half of a character"),
        ("version: 1\nmodel: a\ndata: mnist5k\n? " + "x" * 100_000 + "\n: 1", "unknown field"),
        ("version: 1\nmodel: a\ndata: " + "x" * 100_000, "no name"),
        ("version: 1\nmodel: a\ndata: mnist5k\nlayers:\n  ? " + "x" * 100_000 + "\n  : lots", "must be a number"),
        ("version: 1\nmodel: a\ndata: mnist5k\nseed: [" + "1, " * 50_000 + "]", "a whole number"),
        ("version: " + "x" * 100_000, "version 'xxx"),
    ],
)
def test_bad_recipes_are_refused(text, words):
    with pytest.raises(InputError) as caught:
        Recipe.from_yaml(text)
    assert words in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_a_text_that_cannot_be_written_down_is_refused():
    for odd in ({"model": "\ud800"}, {"data": "\ud800"}, {"layers": {"\udfff": 0.5}}, {"criterion": "\ud800"}):
        with pytest.raises(InputError, match=r"no (name|criterion)") as caught:
            Recipe.from_values({"model": "sample:lenet5", "data": "mnist5k"} | odd)
        str(caught.value).encode()


def test_schedules_take_equal_steps_to_the_same_sparsity():
    base = Recipe(model="sample:lenet5", data="mnist5k", prune=PruneSpec(sparsity=0.875), finetune_steps=100)
    one = base.rounds()
    three = base.replace(schedule="iterative", iterations=3, layers=(("conv1", 0.5),)).rounds()
    assert sum(part.steps for part in one) == sum(part.steps for part in three) == 100
    assert [part.spec.sparsity for part in three] == pytest.approx([0.5, 0.75, 0.875])
    assert three[-1].spec.layers == (("conv1", 0.5),) and one[0].spec.sparsity == 0.875


def test_recipes_of_version_1_open_and_mean_the_same():
    """Written by the explorer of that time."""
    full = Recipe.from_file(VERSION_1 / "recipe.yaml")
    assert full == Recipe(
        model="sample:lenet5", data="mnist5k", schedule="iterative", iterations=4, finetune_steps=62, batch_size=32,
        lr=0.01, momentum=0.8, weight_decay=1e-4, shift=1, precision="bf16",
        prune=PruneSpec(
            granularity="weight", criterion="random", sparsity=0.4, layers=(("conv1", 0.1), ("fc1", 0.95)), seed=5,
        ),
    )  # fmt: skip
    plain = Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.5, head_rounding="up"))
    assert Recipe.from_file(VERSION_1 / "plain.yaml") == plain, "heads that stayed were rounded up"
    assert Recipe.from_yaml(full.to_yaml()) == full and full.to_yaml().startswith("version: 5\n")
    short = Recipe.from_yaml("version: 1\nmodel: sample:lenet5\ndata: mnist5k")
    assert short.prune == plain.prune, "what was not said stood for a half"


@pytest.mark.parametrize(("version", "rounding"), [(1, "up"), (2, "up"), (3, "down"), (4, "down")])
def test_recipes_keep_the_rounding_of_heads_of_their_time(version: int, rounding: str) -> None:
    recipe = Recipe.from_yaml(f"version: {version}\nmodel: sample:lenet5\ndata: mnist5k")
    assert recipe.prune.head_rounding == rounding
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe
    assert Recipe.from_values({"model": "a", "data": "mnist5k"}).prune.head_rounding == "down"


def test_a_recipe_holds_all_of_its_spec():
    full = RECIPE.replace(
        criterion="taylor", parameters=(("batches", 3),), granularity="weight", sparsity=0.25, schedule="iterative",
        iterations=3,
    )  # fmt: skip
    assert Recipe.from_yaml(full.to_yaml()) == full == Recipe.from_values(full.to_values())
    assert full.prune.layers == RECIPE.prune.layers and full.prune.seed == 7
    assert full.to_values()["parameters"] == {"batches": 3} and full.to_values()["layers"] == {"conv1": 0.25}
    assert RECIPE.replace(prune=PruneSpec(), seed=3).prune == PruneSpec(seed=3)
    with pytest.raises(InputError, match="channels only"):
        full.replace(criterion="bn_scale")


def test_a_recipe_of_ones_own_images_holds_how_they_are_prepared():
    how = Preprocess(size=(64, 48), resize=72, interpolation="bicubic", colour="bgr", mean=(0.5,) * 3, std=(0.25,) * 3)
    full = RECIPE.replace(preprocess=how, optimiser="adamw", augment="crop, flip", distillation=0.5, batch_norm="fixed")
    assert full.augment == "flip,crop", "in the order of the table"
    assert Recipe.from_yaml(full.to_yaml()) == full == Recipe.from_values(full.to_values())
    assert full.to_values()["preprocess"]["size"] == [64, 48] and RECIPE.to_values()["preprocess"] is None


def test_recipes_of_version_3_open_and_mean_the_same():
    """Written by the explorer of that time."""
    text = (
        "version: 3\nmodel: sample:lenet5\ndata: mnist5k\ngranularity: channel\ncriterion: l2\nparameters: {}\n"
        "allocation: uniform\nsparsity: 0.5\nlayers: {}\nround_to: 1\nhead_rounding: down\nschedule: oneshot\n"
        "iterations: 1\nfinetune_steps: 10\nbatch_size: 64\nlr: 0.02\nmomentum: 0.9\nweight_decay: 0.0005\nshift: 0\n"
        "precision: fp32\nseed: 0\n"
    )
    assert Recipe.from_yaml(text) == Recipe(
        model="sample:lenet5", data="mnist5k", prune=PruneSpec(sparsity=0.5), finetune_steps=10
    )
