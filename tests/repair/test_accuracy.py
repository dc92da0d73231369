"""A cut before and after a short training: the figures are those of its parts."""

from __future__ import annotations

from pruning.planning.plan import make_plan
from pruning.removal.apply import pruned_model
from pruning.repair.accuracy import best_without_training, cut_accuracy
from pruning.repair.recalibrate import recalibrate
from pruning.spec import PruneSpec
from pruning.subject import open_subject
from pruning.training.evaluate import evaluate
from pruning.training.recover import recover


def test_a_cut_is_measured_as_cut_and_recalibrated_against_dense() -> None:
    subject = open_subject("sample:mini_resnet", "mnist5k")
    dense = evaluate(subject.model, subject.data, "select", limit=100)
    plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.4))
    found = cut_accuracy(subject, plan, dense, images=100)
    model = pruned_model(subject.model, subject.graph, plan)
    assert found.as_cut.value == evaluate(model, subject.data, "select", limit=100).value
    recalibrate(model, subject.data)
    assert found.recalibrated is not None
    assert found.recalibrated.value == evaluate(model, subject.data, "select", limit=100).value
    assert found.best is found.recalibrated
    best = best_without_training(subject, plan)
    assert found.best.value == evaluate(best, subject.data, "select", limit=100).value
    assert found.difference.value == found.recalibrated.value - dense.value


def test_where_nothing_goes_nothing_is_recalibrated() -> None:
    subject = open_subject("sample:mini_resnet", "mnist5k")
    dense = evaluate(subject.model, subject.data, "select", limit=100)
    found = cut_accuracy(subject, make_plan(subject.model, subject.graph, PruneSpec()), dense, images=100)
    assert found.recalibrated is None and found.best is found.as_cut and found.difference.value == 0


def test_zeros_stay_through_a_short_training_that_helps() -> None:
    subject = open_subject("sample:mini_resnet", "mnist5k")
    plan = make_plan(subject.model, subject.graph, PruneSpec(granularity="weight", sparsity=0.9))
    before = evaluate(pruned_model(subject.model, subject.graph, plan), subject.data, "select")
    steps: list[int] = []
    done = recover(subject, plan, epochs=0.5, seed=0, progress=lambda event: steps.append(event.step))
    after = done.accuracy
    assert after.value > before.value and after.images == before.images
    assert steps[-1] == subject.info.steps_of(0.5, 64)
    assert evaluate(done.model, subject.data, "select").value == after.value, "the network is that of the figure"
    weights = dict(done.model.named_parameters())
    assert all(bool((weights[name][~mask] == 0).all()) for name, mask in plan.masks.items())
