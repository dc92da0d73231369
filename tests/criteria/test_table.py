"""Every criterion of the table: its worked example, its help, and a plan of each sample network that it claims."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pruning.base.errors import InputError
from pruning.cli.main import main
from pruning.cli.spec import criteria_help
from pruning.criteria import CRITERIA, Criterion
from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.granularity import GRANULARITIES, Granularity
from pruning.graph.targets import free_targets
from pruning.planning.allocation import kept_per_target
from pruning.planning.plan import make_plan
from pruning.planning.ranking import Ranking
from pruning.removal.verify import carry_out
from pruning.spec import PruneSpec
from pruning.statistics.cache import statistics_for
from pruning.subject import Subject, open_subject
from sample_models import SAMPLES

ROOT = Path(__file__).parents[2]
WITHOUT_BATCH_NORM = ("lenet5", "lenet300")
CLAIMS = [
    (criterion.name, granularity, sample)
    for criterion in CRITERIA.values()
    for granularity in criterion.granularities
    for sample in SAMPLES
    if "batch_norm" not in criterion.needs or sample not in WITHOUT_BATCH_NORM
]


@pytest.fixture(scope="module")
def data_sets() -> dict[str, Data]:
    """Data sets by name, as far as they are asked for."""
    return {}


def data_of(subject: Subject, request: pytest.FixtureRequest, known: dict[str, Data]) -> Data:
    name = subject.network.data[0]
    if name not in known:
        known[name] = open_data(name, None if name == "mnist5k" else request.getfixturevalue("full_data"))
    return known[name]


def one_batch(criterion: Criterion, granularity: Granularity) -> PruneSpec:
    """30 % of everything, by few images."""
    few = tuple((parameter.name, parameter.low) for parameter in criterion.parameters)
    return PruneSpec(granularity=granularity, criterion=criterion.name, parameters=few, sparsity=0.3, seed=1)


@pytest.mark.parametrize(("name", "granularity", "sample"), CLAIMS)
def test_it_ranks_every_sample_that_it_claims(
    name: str,
    granularity: Granularity,
    sample: str,
    request: pytest.FixtureRequest,
    data_sets: dict[str, Data],
) -> None:
    subject, criterion = open_subject(f"sample:{sample}"), CRITERIA[name]
    spec = one_batch(criterion, granularity)
    data = data_of(subject, request, data_sets) if criterion.needs_images else None
    statistics = statistics_for(subject.model, subject.graph, data, spec)
    ranking = Ranking(subject.model, subject.graph, spec, statistics)
    plan = make_plan(subject.model, subject.graph, spec, statistics)
    assert plan.counts == kept_per_target(subject.graph, spec)
    for target in free_targets(subject.graph, granularity):
        scores = ranking.scores(target)
        assert scores.shape == (target.units,) and scores.dtype == torch.float32 and bool(scores.isfinite().all())
        stays = torch.zeros(target.units, dtype=torch.bool)
        if target.group is None:
            stays = plan.masks[target.key].reshape(-1)
        else:
            stays[list(plan.kept[target.key])] = True
        assert scores[~stays].max() <= scores[stays].min(), "the lowest go"
    assert carry_out(subject.model, subject.graph, plan)[1].status == "exact"


@pytest.mark.parametrize("name", CRITERIA)
@pytest.mark.parametrize("sample", WITHOUT_BATCH_NORM)
def test_what_it_does_not_claim_is_refused_in_a_sentence(name: str, sample: str) -> None:
    criterion, subject = CRITERIA[name], open_subject(f"sample:{sample}")
    for granularity in GRANULARITIES:
        if granularity not in criterion.granularities:
            with pytest.raises(InputError, match="only"):
                PruneSpec(granularity=granularity, criterion=name)
        elif "batch_norm" in criterion.needs:
            with pytest.raises(InputError, match="cannot be ranked by batch norm"):
                make_plan(subject.model, subject.graph, one_batch(criterion, granularity))
        elif criterion.needs_images:
            with pytest.raises(InputError, match="works without") as caught:
                statistics_for(subject.model, subject.graph, None, one_batch(criterion, granularity))
            others = [n for n, c in CRITERIA.items() if not c.needs_images and granularity in c.granularities]
            assert all(other in str(caught.value) for other in others)


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
def test_its_formula_gives_its_worked_example(criterion: Criterion) -> None:
    score = criterion.score
    (found,) = doctest.DocTestFinder(recurse=False).find(score, score.__name__, globs=vars(inspect.getmodule(score)))
    assert found.examples, f"{criterion.name} needs an example worked out by hand in the docstring of its score"
    assert doctest.DocTestRunner(verbose=False).run(found).failed == 0


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
def test_its_record_is_sound(criterion: Criterion) -> None:
    assert CRITERIA[criterion.name] is criterion
    assert criterion.title and criterion.explanation.endswith(".") and criterion.needs and criterion.granularities
    assert len({parameter.name for parameter in criterion.parameters}) == len(criterion.parameters)
    for parameter in criterion.parameters:
        assert parameter.check(parameter.default) == parameter.default
        for wrong in (parameter.low - 1, parameter.high + 1, 1.5, "1", None, True):
            with pytest.raises(InputError, match=parameter.name):
                parameter.check(wrong)


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
@pytest.mark.parametrize("command", ["prune", "sensitivity", "contest", "verify"])
def test_help_says_what_it_does(criterion: Criterion, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    words = [criterion.name, criterion.title, criterion.explanation, criterion.conditions]
    words += [f"--parameter {entry.name}={entry.default} ({entry.low:,} to {entry.high:,})" for entry in
              criterion.parameters]  # fmt: skip
    refused = command == "verify" and criterion.needs_images
    assert all(word in said for word in words) is not refused, "no command names what it refuses"


@pytest.mark.parametrize("name", [next(iter(CRITERIA)), "geometric_median_of_all"])
def test_words_of_all_criteria_begin_in_one_column(name: str) -> None:
    criteria = [*CRITERIA.values(), replace(CRITERIA["l2"], name=name)]
    column = 3 + max(len(criterion.name) for criterion in criteria)
    _, *lines = criteria_help(criteria).split("\n")
    assert [line[:column].strip() for line in lines if line[2] != " "] == [criterion.name for criterion in criteria]
    assert all(line[column - 1] == " " and line[column] != " " for line in lines), lines


def test_the_table_is_known_before_torch() -> None:
    """Help texts and forms name the criteria at once."""
    code = "import sys, pruning.criteria, pruning.spec, pruning.cli.spec; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
