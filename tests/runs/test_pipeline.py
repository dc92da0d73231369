"""A whole run on the built-in data: what it reports is what its model does."""

import pytest
import torch

from pruning.base.digests import weights_digest
from pruning.base.errors import Cancelled, InputError
from pruning.data.readers import READERS, open_data
from pruning.runs import create_run, execute, pipeline, read_run
from pruning.runs.pipeline import check_recipe, run
from pruning.runs.recipe import Recipe
from pruning.statistics.cache import statistics_for
from pruning.subject import open_subject
from pruning.training.evaluate import evaluate
from tests.toys import own_digits


def recipe(**changes) -> Recipe:
    base = {"model": "sample:lenet300", "data": "mnist5k", "sparsity": 0.5, "finetune_steps": 12, "batch_size": 32}
    return Recipe.from_values({**base, **changes})


def test_a_channel_run_reports_what_its_model_does():
    events = []
    outcome = run(recipe(), progress=events.append)
    result, data = outcome.result, open_data("mnist5k")
    again = evaluate(outcome.model, data, "test")
    assert result.pruned.test.correct == again.correct and result.pruned.test.role == "test"
    assert result.dense.test.correct == evaluate(open_subject("sample:lenet300").model, data, "test").correct
    assert result.check.status == "exact" and result.check.max_error < 1e-9
    assert result.pruned.params == 784 * 150 + 150 + 150 * 50 + 50 + 50 * 10 + 10
    difference = result.difference
    assert difference.newly_right - difference.newly_wrong == again.correct - result.dense.test.correct
    assert result.stages.as_cut.role == "select"
    assert result.stages.recalibrated is None, "no BN, nothing to recalibrate"
    assert result.stages.finetuned.correct == evaluate(outcome.model, data, "select").correct
    assert [e["step"] for e in events if e["stage"] == "finetune"] == list(range(1, 13))
    assert not result.speedups and result.untimed == "not timed", "times are a job of their own"


@pytest.mark.slow
def test_the_same_recipe_gives_the_same_numbers():
    first, second = (run(recipe(seed=3)).result for _ in range(2))
    for part in ("stages", "layers", "difference"):
        assert getattr(first, part) == getattr(second, part)
    assert run(recipe(seed=4)).result.stages != first.stages


def test_pruned_weights_stay_pruned_over_all_rounds():
    outcome = run(recipe(granularity="weight", sparsity=0.9, schedule="iterative", iterations=3))
    model, tensors = outcome.model, dict(open_subject("sample:lenet300").model.named_parameters())
    for name, total in (("fc1.weight", 235_200), ("fc2.weight", 30_000), ("fc3.weight", 1_000)):
        weight = dict(model.named_parameters())[name]
        assert int((weight == 0).sum()) == total * 9 // 10
        assert not torch.equal(weight, tensors[name])
    assert [done.sparsity for done in outcome.result.rounds] == pytest.approx([1 - 0.1 ** (i / 3) for i in (1, 2, 3)])
    assert outcome.result.pruned.macs == outcome.result.dense.macs, "zeros are still multiplied"


@pytest.mark.slow
def test_iterative_channel_rounds_end_at_the_one_shot_size():
    one = run(recipe(model="sample:mini_resnet", sparsity=0.6, finetune_steps=3)).result
    three = run(recipe(model="sample:mini_resnet", sparsity=0.6, finetune_steps=3, schedule="iterative", iterations=3))
    assert three.result.pruned.params == one.pruned.params
    assert [layer.kept for layer in three.result.layers] == [layer.kept for layer in one.layers]
    assert three.result.check.status == "exact"
    assert all(done.stages.recalibrated is not None for done in three.result.rounds)


def test_what_an_earlier_round_removed_stays_removed_even_for_largest_first():
    outcome = run(recipe(criterion="largest", granularity="weight", sparsity=0.5, schedule="iterative", iterations=2))
    kept = sum(int((p != 0).sum()) for n, p in outcome.model.named_parameters() if p.dim() >= 2)
    assert kept == 266_200 // 2


def test_the_shared_models_are_not_changed():
    subject = open_subject("sample:mini_resnet")
    before = {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}
    pipeline.prune_in_rounds(recipe(model="sample:mini_resnet", finetune_steps=2), subject, lambda event: None, None)
    assert all(torch.equal(tensor, before[name]) for name, tensor in subject.model.state_dict().items())


@pytest.mark.slow
@pytest.mark.parametrize("granularity", ["channel", "weight"])
def test_every_round_ranks_by_the_network_as_it_stands(granularity, monkeypatch):
    looked_at = []

    def watch(model, graph, data, spec, **options):
        looked_at.append((weights_digest(model), spec.sparsity, options["dense"]))
        return statistics_for(model, graph, data, spec, **options)

    monkeypatch.setattr(pipeline, "statistics_for", watch)
    subject = open_subject("sample:mini_resnet")
    outcome = run(
        recipe(
            model="sample:mini_resnet", granularity=granularity, criterion="taylor", parameters={"batches": 1},
            schedule="iterative", iterations=3, seed=2,
        )
    )  # fmt: skip
    digests, sparsities, dense = zip(*looked_at, strict=True)
    assert digests[0] == subject.digest and len(set(digests)) == 3, "cut and trained meanwhile"
    assert sparsities == pytest.approx([1 - 0.5 ** (i / 3) for i in (1, 2, 3)])
    assert {weights_digest(model) for model in dense} == {subject.digest}
    assert outcome.result.check.status == "exact"
    if granularity == "channel":
        assert {layer.kept for layer in outcome.result.layers if layer.group == "conv1"} == {5}


def test_slimming_by_batch_norm_is_exact_and_refused_at_once_where_there_is_none():
    outcome = run(recipe(model="sample:mini_resnet", criterion="bn_scale", finetune_steps=0))
    assert outcome.result.check.status == "exact" and outcome.result.recipe.prune.criterion == "bn_scale"
    with pytest.raises(InputError, match="cannot be ranked by batch norm"):
        check_recipe(recipe(criterion="bn_scale"))


def test_a_recipe_may_keep_multiples():
    rows = run(recipe(sparsity=0.5, round_to=64, finetune_steps=0)).result.layers
    assert {row.name: row.kept for row in rows} == {"fc1": 192, "fc2": 64}, "of 300 and 100, half, rounded up"


@pytest.mark.parametrize("after", [0, 1, 4, 9])
def test_cancel_at_any_moment(after):
    calls = iter(range(10_000))
    with pytest.raises(Cancelled):
        run(recipe(), cancel=lambda: next(calls) >= after)


def test_impossible_recipes_are_refused_before_anything_is_done():
    with pytest.raises(InputError, match="cannot be used with cifar10"):
        check_recipe(recipe(data="cifar10"))
    with pytest.raises(InputError, match="Did you mean 'fc1'"):
        check_recipe(recipe(layers={"fc11": 0.5}))
    with pytest.raises(InputError, match="no model"):
        check_recipe(recipe(model="sample:alexnet"))


def test_a_training_that_diverges_says_so():
    with pytest.raises(InputError, match="lower learning rate"):
        run(recipe(lr=9.0, momentum=0.99, finetune_steps=400))


def test_a_run_on_other_images_is_looked_at_with_those_afterwards(tmp_path, monkeypatch):
    monkeypatch.setitem(READERS, "own", own_digits())
    folder = create_run(recipe(data="own:digits", finetune_steps=0), path=tmp_path / "run")
    execute(folder)
    subject = open_subject(read_run(folder).ref)
    assert subject.data_name == "own:digits"
    assert subject.network.data == ("own:digits", "mnist5k", "mnist"), "its network's own images still fit"
