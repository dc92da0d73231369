"""The report: its numbers are those of the run, it holds nothing of this machine, and nothing in it can run or load."""

from __future__ import annotations

import dataclasses
import errno
import getpass
import json
import os
import platform
import re
import shutil
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest import MonkeyPatch

from pruning.base.errors import InputError, StorageError
from pruning.cli.main import main
from pruning.compare.classes import ClassChange
from pruning.data.readers import READERS, open_data
from pruning.export.report import (
    Contents,
    Options,
    charts,
    first,
    gather,
    page,
    plots,
    read_finished,
    slider,
    write,
)
from pruning.export.report import contents as gathering
from pruning.export.report import start as job
from pruning.export.report.family import MOST, family, first_groups
from pruning.export.report.first import more_wrong
from pruning.export.report.page import as_json, html_page
from pruning.export.report.plans import images_for, measure_plans
from pruning.export.report.provenance import model_name, shared_recipe
from pruning.export.report.sections import tradeoff
from pruning.export.report.svg import ticks
from pruning.jobs.job import Job
from pruning.jobs.status import Status
from pruning.jobs.store import LocalStore
from pruning.jobs.work import Work
from pruning.planning.allocation import kept_units
from pruning.planning.plan import make_plan
from pruning.removal.apply import masked_model
from pruning.runs import Run, create_run, execute, read_run
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec
from pruning.statistics.gather import gather_scores
from pruning.subject import open_subject
from pruning.tasks.metric import Difference
from pruning.training.evaluate import evaluate
from tests.toys import own_digits

HOSTILE = '</script><img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run that makes mistakes: half of the neurons of a small network, and no fine-tuning."""
    recipe = Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.7))
    folder = create_run(recipe, path=tmp_path_factory.mktemp("reports") / "runs" / "halved")
    execute(folder)
    return read_run(folder)


@pytest.fixture(scope="module")
def contents(run: Run) -> Contents:
    options = Options(title=f"Title {HOSTILE}", recommendation=f"Take it.\n\n{HOSTILE}", photos=True)
    return gather(run, [run.summary], options, sparsities=(0.0, 0.5, 0.9))


@pytest.fixture(scope="module")
def html(contents: Contents) -> str:
    return html_page(contents)


def without_code(html: str) -> str:
    """What a reader can see, and what a browser may load: all but scripts."""
    return re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)


def test_uniform_plans_are_measured_as_the_plain_way_measures_them() -> None:
    subject, data = open_subject("sample:lenet300"), open_data("mnist5k")
    plans = measure_plans(
        subject, PruneSpec(), images=200, sparsities=(0.0, 0.5)
    )  # fmt: skip
    plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.5))
    plain = evaluate(masked_model(subject.model, subject.graph, plan), data, "select", limit=200)
    assert [found.as_cut.role for found in plans] == ["select", "select"]
    assert abs(plans[1].as_cut.correct - plain.correct) <= 1  # bf16 may change one answer in 200
    assert (plans[0].params, plans[0].macs) == (784 * 300 + 300 + 300 * 100 + 100 + 1010, 784 * 300 + 30000 + 1000)
    assert (plans[1].params, plans[1].macs) == (784 * 150 + 150 + 150 * 50 + 50 + 510, 784 * 150 + 7500 + 500)
    assert plans[1].recalibrated is None, "it has no batch normalisation"


def test_uniform_plans_rank_as_the_run_did() -> None:
    subject = open_subject("sample:lenet300")
    spec = PruneSpec(criterion="taylor", parameters=(("batches", 1),), layers=(("fc1", 0.9),), seed=4)
    (found,) = measure_plans(subject, spec, images=200, sparsities=(0.5,))
    cut = spec.replace(sparsity=0.5, layers=())
    plan = make_plan(subject.model, subject.graph, cut, gather_scores(subject.model, subject.graph, subject.data, cut))
    plain = evaluate(masked_model(subject.model, subject.graph, plan), subject.data, "select", limit=200)
    assert abs(found.as_cut.correct - plain.correct) <= 1


def test_recalibrated_figures_where_there_is_batch_normalisation() -> None:
    subject = open_subject("sample:mini_resnet")
    first, cut = measure_plans(
        subject, PruneSpec(), images=100, sparsities=(0.0, 0.3)
    )  # fmt: skip
    assert first.recalibrated is None and first.best is first.as_cut
    assert cut.recalibrated is not None and cut.best is cut.recalibrated
    assert cut.best.value > cut.as_cut.value


def test_fewer_images_for_larger_networks() -> None:
    assert [images_for(macs) for macs in (1, 40_000_000, 10**12)] == [2000, 500, 300]


def test_figures_are_those_of_the_run(run: Run, contents: Contents, html: str) -> None:
    assert run.result is not None
    result, text = run.result, without_code(html)
    assert result.pruned.test is not None and result.difference is not None
    assert result.pruned.params == sum((a + 1) * b for a, b in ((784, 90), (90, 30), (30, 10)))
    assert kept_units(300, 0.7) == 90
    assert f"{100 * result.pruned.test.value:.1f} %" in text
    assert f"{result.pruned.params:,}" in text and f"{result.dense.macs:,}" in text
    assert contents.verdict.headline in text
    changes = contents.changes
    assert changes is not None
    assert changes.newly_wrong == result.difference.newly_wrong and changes.newly_wrong > 0
    assert changes.same + changes.newly_wrong + changes.newly_right + (changes.otherwise or 0) == changes.images
    assert sum(change.images for change in contents.classes) == changes.images
    point = plots.figures(contents)["light"]["tradeoff"]["macs"]["data"][0]
    assert (point["x"], point["y"]) == ([result.pruned.macs], [100 * result.pruned.test.value])


def test_it_reads_without_scripts(contents: Contents, html: str) -> None:
    text = without_code(html)
    table = text[text.index('aria-label="Uniform cuts"') :]
    table = table[: table.index("</table>")]
    assert table.count("<tr") == 1 + len(contents.plans)
    for plan in contents.plans:
        assert f"{plan.macs:,}" in table
    assert text.count('class="static"><svg') == 2
    assert text.index("Recommendation") < text.index("Accuracy against cost")


def test_slider_entries_are_texts_of_the_plans(contents: Contents) -> None:
    entries = slider.slider_entries(contents)
    assert [entry["x"] for entry in entries] == ["0", "50", "90"]
    assert entries[0]["macs"] == "unchanged" and entries[1]["macs"] == "÷ 2.12"  # 266,200 / 125,600
    assert entries[1]["metric"] == f"{100 * contents.plans[1].as_cut.value:.1f} %"


def test_nothing_of_this_machine_is_in_it(run: Run, html: str) -> None:
    names = {str(run.path.parent), str(Path.home()), os.getcwd(), socket.gethostname(), str(Path(__file__).parents[2])}
    names |= {part for part in (os.environ.get("PRUNING_DATA"), os.environ.get("PRUNING_CACHE")) if part}
    if getpass.getuser() not in ("root", "user"):  # also words of plotly.js and of CSS
        names.add(getpass.getuser())
    data = html[html.index('id="report-data"') :]
    text = without_code(html) + data[: data.index("</script>")]
    text = re.sub(r"base64,[^\"]*", "", text)
    assert [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)] == []
    assert "halved" in text, "the run's own name is there"


def test_a_path_becomes_a_name(run: Run) -> None:
    assert model_name("run:/home/ann/runs/20261124-lenet5-ab12") == "run:20261124-lenet5-ab12"
    assert model_name("sample:lenet5") == "sample:lenet5"
    onward = run.recipe.replace(model="run:/home/ann/runs/first")
    assert "run:first" in shared_recipe(dataclasses.replace(run, recipe=onward))
    assert "/home" not in shared_recipe(dataclasses.replace(run, recipe=onward))


def test_a_path_of_images_becomes_a_name(run: Run, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "own", own_digits(is_path=True))
    mine = shared_recipe(dataclasses.replace(run, recipe=run.recipe.replace(data="own:/home/ann/photos")))
    assert "own:photos" in mine and "/home" not in mine


def test_what_people_wrote_stays_text(contents: Contents, html: str) -> None:
    change = ClassChange(
        name=HOSTILE, images=2, before=2, after=1,
        difference=Difference(value=-0.5, interval=(-1.0, 0.2), newly_wrong=1, newly_right=0),
    )  # fmt: skip
    layers = tuple(dataclasses.replace(pair, name=HOSTILE) for pair in contents.layers)
    texts = [
        without_code(html),
        without_code(html_page(dataclasses.replace(contents, classes=(change,), layers=layers))),
    ]
    for text in texts:
        assert "&lt;img src=x" in text and "<img src=x" not in text
    assert texts[0].count("<img ") == sum(len(shelf.pictures) for shelf in contents.shelves)


def test_data_cannot_end_its_script() -> None:
    data = {"text": "</script><!-- \u2028 & >"}
    assert not set("<>&\u2028") & set(as_json(data))
    assert json.loads(as_json(data)) == data


def test_nothing_is_fetched(html: str) -> None:
    assert "Content-Security-Policy" in html and "default-src 'none'" in html
    assert re.findall(r'(?:src|href)="(?!#|data:image/png;base64,)[^"]*"', without_code(html)) == []
    assert "@import" not in without_code(html) and "url(" not in without_code(html)
    assert len(html.encode()) < 8_000_000


def test_pictures_only_where_they_are_chosen(contents: Contents, html: str) -> None:
    wrong, right = (shelf.pictures for shelf in contents.shelves)
    assert 0 < len(wrong) <= 18 and without_code(html).count("data:image/png") == len(wrong) + len(right)
    assert "Newly wrong, worst first (" in html and "Newly right (" in html
    lost = [picture.case.lost for picture in wrong]
    assert lost == sorted(lost, reverse=True), "worst first"
    assert "data:image/png" not in without_code(html_page(dataclasses.replace(contents, photos=False)))


def test_a_run_from_before_answers_were_kept(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "older"
    shutil.copytree(run.path, folder, ignore=shutil.ignore_patterns("answers.safetensors"))
    older = read_run(folder)
    found = gather(older, [older.summary], Options(photos=True), sparsities=(0.0,))
    assert (found.classes, found.shelves, found.photos, found.changes.otherwise) == ((), (), False, None)
    assert "before answers were kept image by image" in html_page(found)


def test_runs_that_differ_in_their_seed_alone_form_a_group(run: Run) -> None:
    def other(name: str, accuracy: float, **changed: object) -> Run:
        assert run.result is not None
        assert run.result.pruned.test is not None
        test = dataclasses.replace(run.result.pruned.test, value=accuracy)
        result = dataclasses.replace(run.result, pruned=dataclasses.replace(run.result.pruned, test=test))
        folder = run.path.parent / name
        folder.mkdir(exist_ok=True)
        (folder / "model.json").write_text(json.dumps({"sample": changed.pop("sample", "lenet300")}))
        recipe = run.recipe.replace(**changed)
        return dataclasses.replace(run, path=folder, recipe=recipe, result=result)

    runs = [
        run,
        other("seed1", 0.5, seed=1),
        other("again", 0.1, seed=0),
        other("seed2", 0.9, seed=2),
        other("more", 0.99, sparsity=0.8, seed=1),
        other("stranger", 0.99, seed=3, sample="lenet5"),
    ]
    first, second = family(run, [other.summary for other in runs])
    assert [member.seed for member in first.members] == [0, 1, 2] and first.reported == 0
    assert first.span == (0.5, max(0.9, first.members[0].value))
    assert (len(second.members), second.reported, second.members[0].value) == (1, None, 0.99)


def test_of_many_other_runs_the_most_accurate_are_shown(run: Run, contents: Contents) -> None:
    recipes = [run.recipe.replace(lr=0.001 + n / 1e5) for n in range(MOST + 5)]
    recipes.append(recipes[-1].replace(seed=1))
    others = []
    for number, recipe in enumerate(recipes):
        folder = run.path.parent / f"many{number}"
        folder.mkdir()
        shutil.copy(run.path / "model.json", folder)
        others.append(dataclasses.replace(run, path=folder, recipe=recipe))
    found = gather(run, [other.summary for other in others], Options(), sparsities=(0.0,))
    shown = sum(len(group.members) for group in found.groups)
    assert found.groups[0].reported is not None and MOST <= shown <= 1 + MOST
    assert found.left_out == 1 + len(recipes) - shown
    assert f"; {found.left_out} more runs are not." in tradeoff(found)
    assert contents.left_out == 0 and "are not." not in tradeoff(contents)
    assert first_groups(found.groups) == found.groups


def test_every_axis_has_its_cost_and_words(contents: Contents) -> None:
    (group,) = contents.groups
    point = group.members[0]
    for name, axis in charts.AXES.items():
        assert charts.cost(point, name) > 0 and axis.text(charts.cost(point, name)), name
    assert charts.cost(point, "macs") == contents.result.pruned.macs
    assert charts.axes(contents.groups) and set(charts.axes(contents.groups)) == set(charts.AXES)


def test_a_report_that_cannot_be_written_leaves_nothing(run: Run, tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(write, "gather", lambda *given, **options: None)
    monkeypatch.setattr(page, "html_page", lambda contents: "x" * 50)
    (tmp_path / "file").touch()
    for out in (tmp_path, tmp_path / "none" / "report.html", tmp_path / "file" / "report.html"):
        with pytest.raises(InputError, match="name a file in a folder that is there"):
            write.write_report(run.path, out, Options())
    with monkeypatch.context() as full, pytest.raises(StorageError, match="cannot be written"):
        full.setattr(os, "replace", no_room)
        write.write_report(run.path, tmp_path / "report.html", Options())
    monkeypatch.setattr(write, "LARGEST", 49)
    with pytest.raises(InputError, match="would have 50 bytes"):
        write.write_report(run.path, tmp_path / "report.html", Options())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_seeds_are_points_in_a_band(contents: Contents) -> None:
    (group,) = contents.groups
    one = group.members[0]
    seeds = (one, dataclasses.replace(one, value=0.5, seed=1), dataclasses.replace(one, value=0.7, seed=2))
    several = dataclasses.replace(contents, groups=(dataclasses.replace(group, members=seeds),))
    figure = plots.figures(several)["dark"]["tradeoff"]["macs"]
    (band,) = figure["layout"]["shapes"]
    assert (band["y0"], band["y1"]) == (50, 100 * max(one.value, 0.7))
    assert band["x0"] < one.macs < band["x1"] and figure["data"][0]["x"] == [one.macs] * 3
    drawn = [charts.tradeoff(shown.dense, shown.groups) for shown in (contents, several)]
    assert [svg.count("<rect") for svg in drawn] == [0, 1]
    assert [svg.count("this run") for svg in drawn] == [1, 1]


def test_what_an_author_may_write() -> None:
    for options in ({"title": "x" * 161}, {"recommendation": "x" * 4001}, {"title": "a\0b"}):
        with pytest.raises(InputError):
            Options(**options)


def test_only_a_finished_run_has_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="no folder"):
        read_finished(tmp_path / "none")
    folder = create_run(Recipe(model="sample:lenet300", data="mnist5k"), path=tmp_path / "begun")
    assert main(["report", f"run:{folder}"]) == 2
    assert "is not finished" in capsys.readouterr().err


def test_software_is_that_of_the_run(contents: Contents) -> None:
    assert platform.python_version() not in dict(contents.origin)["Software"]


def test_a_report_is_a_job_of_its_own(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(run.path, tmp_path / "runs" / "one"))
    options = Options(recommendation="Take it.")
    wanted = job.job_of(folder, options)
    assert wanted.status() is None and job.read_report(folder, options) is None
    assert job.job_of(folder, Options()) != wanted, "other options are another report"
    asked: list[tuple[list[str], Job]] = []
    monkeypatch.setattr(job.LocalExecutor, "submit", lambda self, arguments, to, **how: asked.append((arguments, to)))
    job.start(folder, options)
    ((arguments, to),) = asked
    attempt = to.ask()
    assert to == wanted and attempt is not None and isinstance(attempt.store, LocalStore)
    quick = {"sparsities": (0.0, 0.5), "images": 50}
    monkeypatch.setattr(gathering, "measure_plans", lambda *a, **k: measure_plans(*a, **{**k, **quick}))
    said: list[tuple[str, float | None]] = []
    monkeypatch.setattr(Work, "say", lambda self, text, share=None: said.append((text, share)))
    assert main(["--job", str(attempt.store.path(attempt.folder)), *arguments]) == 0
    assert wanted.status() == Status(state="done")
    text = job.read_report(folder, options)
    assert text is not None and b"Take it." in text and text.lower().startswith(b"<!doctype html>")
    assert said[0] == ("Opening both networks", 0.05)
    assert said[-1] == ("Measuring uniform cuts on select images: 2 of 2", pytest.approx(0.95))


def test_a_report_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    folder = create_run(Recipe(model="sample:lenet300", data="mnist5k"), path=tmp_path / "begun")
    wanted = job.job_of(folder, Options())
    for cancelled in (False, True):
        attempt = wanted.ask()
        assert attempt is not None and isinstance(attempt.store, LocalStore)
        if cancelled:
            wanted.request_cancel()
        place = str(attempt.store.path(attempt.folder))
        assert main(["--job", place, "report", str(folder)]) == (130 if cancelled else 2)
        now = wanted.status()
        assert now is not None
        assert now.text == (
            "Cancelled before it began."
            if cancelled
            else "begun is not finished (queued): a report needs a finished run."
        )


def test_spans_in_words_and_round_ticks() -> None:
    assert more_wrong(3.7, 18.3) == "between 4 and 18 more wrong answers"
    assert more_wrong(-2.2, 6.1) == "between 2 fewer and 6 more wrong answers"
    assert more_wrong(-6.1, -2.2) == "between 2 and 6 fewer wrong answers"
    assert ticks(0, 100, 5) == [0, 20, 40, 60, 80, 100]
    assert ticks(98.9, 100.1, 4) == [99.0, 99.2, 99.4, 99.6, 99.8, 100.0]


def test_the_date_is_that_of_the_making(contents: Contents) -> None:
    assert (datetime.now(UTC) - contents.made).total_seconds() < 3600


def test_zeros_are_not_called_smaller(contents: Contents) -> None:
    assert (
        first.meaning(contents)[1].startswith("Whole channels were removed")
        and "zero" not in first.meaning(contents)[1]
    )
    result, params = contents.result, contents.result.dense.params

    def with_params(**counts: int) -> Contents:
        return dataclasses.replace(
            contents, result=dataclasses.replace(result, pruned=dataclasses.replace(result.pruned, **counts))
        )

    only_zeros = first.meaning(with_params(params=params, nonzero=params // 4))[1]
    assert only_zeros.startswith("75 % of its parameters are zero") and "as large as before" in only_zeros
    both = first.meaning(with_params(params=params // 2, nonzero=params // 4))[1]
    assert "really smaller" in both and "50 % of its parameters are zero" in both and "as large" not in both
