"""The layer board under a hand: mouse, keyboard and numbers change the plan, and its counts are Python's."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pruning.base import words
from pruning.spec import PruneSpec
from tests.browser.steps import expect, kept, settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from pruning.render.preview import Savings

MODEL = "sample:mini_resnet"
ROW = "layer2.0.conv1"
"""20 units, which no other layer shares."""

pytestmark = pytest.mark.browser


@pytest.fixture
def board(server: str, page: Page) -> Page:
    """The Prune page with the board on it."""
    show(page, server)
    return page


def show(page: Page, server: str) -> None:
    page.goto(f"{server}/prune", wait_until="domcontentloaded")
    page.locator(".board .row:not(.head)").first.wait_for()
    settle(page)


def row(page: Page, name: str) -> Locator:
    return page.locator(f".board .row[data-name='{name}']")


def slider(page: Page, name: str) -> Locator:
    return row(page, name).locator("input[type=range]")


def tool(page: Page, name: str) -> Locator:
    return page.locator(f".board [data-tool={name}]")


def values(page: Page) -> dict[str, int]:
    """Row → where its slider stands."""
    found = page.locator(".board .row[data-name] input[type=range]").evaluate_all(
        "all => all.map((input) => [input.closest('.row').dataset.name, Number(input.value)])"
    )
    return dict(found)


def drag(page: Page, cut: Locator, start: float, end: float, steps: int = 12) -> None:
    """From one place of the bars to another, both from 0 to 1 of the width between their ends."""
    box = cut.bounding_box()
    assert box is not None

    def x(share: float) -> float:
        return box["x"] + 8 + share * (box["width"] - 16)

    page.mouse.move(x(start), box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(x(end), box["y"] + box["height"] / 2, steps=steps)
    page.mouse.up()


def savings(layers: dict[str, float], granularity: str = "channel", sparsity: float = 0.0) -> Savings:
    """What Python makes of the same plan."""
    from pruning.planning.plan import make_plan
    from pruning.render.preview import savings as count
    from pruning.subject import open_subject

    subject = open_subject(MODEL)
    plan = make_plan(
        subject.model,
        subject.graph,
        PruneSpec(granularity=granularity, sparsity=sparsity, layers=tuple(layers.items())),
    )
    return count(subject, plan)


def assert_tiles_are_pythons(page: Page, wanted: Savings) -> None:
    size, macs = (tile(page, number) for number in (0, 1))
    expect(size).to_contain_text(words.ratio(wanted.dense_params, wanted.params))
    expect(size).to_contain_text(f"{words.amount(wanted.params)} of {words.amount(wanted.dense_params)}")
    expect(macs).to_contain_text(words.ratio(wanted.dense_macs, wanted.macs))
    expect(macs).to_contain_text(f"{words.amount(wanted.macs)} of {words.amount(wanted.dense_macs)}")


def tile(page: Page, number: int) -> Locator:
    """Of the big numbers on top: size, MACs, time."""
    return page.locator(".board .tile:not(.hole)").nth(number)


def test_hand_keyboard_and_numbers_move_the_plan(board: Page) -> None:
    page = board
    expect(kept(row(page, ROW))).to_have_text("20 → 20")

    drag(page, row(page, ROW).locator(".cut"), 0.0, 0.4)
    assert values(page)[ROW] == 8, "the cut is where the pointer is"
    expect(kept(row(page, ROW))).to_have_text("20 → 12")
    expect(slider(page, ROW)).to_have_attribute("aria-valuetext", "8 of 20 removed")
    assert_tiles_are_pythons(page, savings({ROW: 8 / 20}))
    expect(page.locator(".board aside h2"), "the row that moves stands in the inspector").to_have_text(ROW)
    settle(page)
    expect(page.locator(".st-key-board_accuracy")).to_contain_text("recalibrated ·")
    expect(page.locator(".st-key-board_accuracy")).to_contain_text("1,000 select images")

    slider(page, ROW).press("ArrowRight")
    assert values(page)[ROW] == 9
    slider(page, ROW).press("End")
    expect(kept(row(page, ROW)), "one unit stays").to_have_text("20 → 1")
    exact = page.locator(".board #exact")
    exact.fill("16")
    exact.press("Enter")
    assert values(page)[ROW] == 4
    assert_tiles_are_pythons(page, savings({ROW: 4 / 20}))

    for expected in (19, 9, 8, 0):
        page.keyboard.press("Control+z")
        assert values(page)[ROW] == expected
    assert tool(page, "undo").is_disabled()
    page.keyboard.press("Control+Shift+Z")
    tool(page, "redo").click()
    assert values(page)[ROW] == 9
    settle(page)

    page.locator(".st-key-run_bar").get_by_text("Options").wait_for()
    visit(page, "Explore", "Look inside")
    settle(page)
    page.locator("a[data-testid=stTopNavLink]", has_text="Prune").click()
    row(page, ROW).wait_for()
    settle(page)
    assert values(page)[ROW] == 9, "another page and back: the plan is still there"
    assert_tiles_are_pythons(page, savings({ROW: 9 / 20}))


def test_all_rows_follow_one_slider_but_those_that_are_locked(board: Page) -> None:
    page = board
    drag(page, row(page, ROW).locator(".cut"), 0.0, 0.1)
    lock = row(page, ROW).locator(".lock")
    lock.click()
    assert lock.get_attribute("aria-pressed") == "true" and slider(page, ROW).is_disabled()
    master = page.locator(".board .all")
    master.focus()
    for _ in range(30):
        master.press("ArrowRight")
    sizes = {"conv1": 10, "layer1.0.conv1": 10, "layer2.0.conv2/own": 10, "layer3.0.conv1": 28, "layer3.0.conv2/own": 8}
    after = {name: int(0.3 * units + 1e-9) for name, units in sizes.items()}
    assert values(page) == after | {ROW: 2}
    expect(row(page, "layer3.0.conv2/own"), "asked, and what units allow").to_contain_text("25 of 30 %")
    assert_tiles_are_pythons(page, savings({ROW: 2 / 20}, sparsity=0.3))
    settle(page)

    lock.click()
    page.locator(".board [data-role=mode]").select_option("threshold")
    for key in ("ArrowRight", "ArrowLeft"):
        master.press(key)
    assert values(page) == lowest(0.3), "the lowest 30 % of all scores, wherever they are"
    tool(page, "reset").click()
    assert set(values(page).values()) == {0}

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    slider(page, ROW).press("ArrowRight")
    tool(page, "copy").click()
    page.locator(".board .copied", has_text="copied").wait_for()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == {ROW: 0.05}


def lowest(share: float) -> dict[str, int]:
    """Units of each group among the lowest of all scores; computed from the weights alone."""
    from pruning.graph.targets import free_targets
    from pruning.spec import PruneSpec
    from pruning.statistics.scores import unit_scores
    from pruning.subject import open_subject

    subject = open_subject(MODEL)
    tensors = dict(subject.model.named_parameters())
    scores = [
        (score, target.key)
        for target in free_targets(subject.graph, "channel")
        for score in unit_scores(subject.graph, target, PruneSpec(criterion="l2"), tensors).tolist()
    ]  # fmt: skip
    goes = [name for _, name in sorted(scores)[: round(share * len(scores))]]
    return {group.name: goes.count(group.name) for group in subject.graph.groups}


def test_weights_have_a_histogram_for_a_slider(board: Page) -> None:
    page = board
    page.locator(".board [data-choice=weight]").click()
    page.locator(".board.weights").wait_for()
    settle(page)
    name = "layer3.0.conv2"
    slider(page, name).focus()
    slider(page, name).press("ArrowRight")
    expect(slider(page, name)).to_have_attribute("aria-valuetext", "0.1 % of 7,056 weights removed")
    exact = page.locator(".board #exact")
    exact.fill("45.3")
    exact.press("Enter")
    wanted = savings({name: 0.453}, "weight")
    size, macs, time = (tile(page, number) for number in range(3))
    expect(size).to_contain_text(words.ratio(wanted.dense_nonzero, wanted.nonzero))
    expect(size).to_contain_text(f"{words.amount(wanted.nonzero)} of {words.amount(wanted.dense_nonzero)}")
    expect(macs).to_contain_text("unchanged")
    expect(macs).to_contain_text("zeros are still multiplied")
    expect(time).to_contain_text("unchanged")
    settle(page)

    cut = row(page, name).locator(".cut")
    drag(page, cut, 0.2, 1.0)
    assert "99.9 % of 7,056" in str(slider(page, name).get_attribute("aria-valuetext"))
    drag(page, cut, 1.0, 0.0)
    assert values(page)[name] == 0
    page.locator(".board [data-choice=channel]").click()
    row(page, ROW).wait_for()
    settle(page)


def test_times_of_layers_give_steps_to_snap_to(
    server: str, page: Page, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With times made up here, under the name that this network's have on this machine."""
    from pruning.cost.table import cost_table
    from pruning.latency.cache import brought_job, brought_key, job_of, publish_steps, steps_key
    from pruning.latency.steps import Steps, predict
    from pruning.subject import open_subject

    graph = open_subject(MODEL).graph
    made = made_up(cost_table(graph).to_json())
    monkeypatch.setenv("PRUNING_CACHE", str(home / "cache"))
    with job_of(steps_key(graph, 1)).working() as work:
        publish_steps(work, Steps.from_json(made))
    slow = made | {"cpu": "Abacus 9000", "threads": 3, "dense": made["dense"] + 5, "fixed": made["fixed"] + 5}
    with brought_job(brought_key(graph, 1), "Abacus 9000").working() as work:
        publish_steps(work, Steps.from_json(slow))
    show(page, server)
    drag(page, row(page, ROW).locator(".cut"), 0.0, 0.05)
    expect(page.locator(".board .snap")).to_have_text(["19 → 16: −50 % time", "19 → 20: same time"])
    page.locator(".board .snap").first.click()
    expect(kept(row(page, ROW))).to_have_text("20 → 16")
    expected = predict(Steps.from_json(made), cost_table(graph), {ROW: 16})
    low, middle, high = expected.speedup
    expect(tile(page, 2)).to_contain_text(f"≈ {middle:.2f}×")
    expect(tile(page, 2)).to_contain_text(f"({low:.2f}–{high:.2f}×)")

    expect(tile(page, 2).locator("h3")).to_have_text("Time for 1 image, 1 thread")
    expect(tile(page, 2).locator(".measure")).to_be_visible()
    page.locator(".board [data-role=place]").select_option(label="Abacus 9000")
    expect(tile(page, 2).locator("h3")).to_have_text("Time for 1 image, 3 threads, Abacus 9000")
    expected = predict(Steps.from_json(slow), cost_table(graph), {ROW: 16})
    expect(tile(page, 2)).to_contain_text(f"≈ {expected.speedup[1]:.2f}×")
    expect(tile(page, 2).locator(".measure")).to_be_hidden()  # whole cuts are timed here alone
    page.locator(".board [data-role=place]").select_option("eager")
    expect(tile(page, 2)).to_contain_text(f"≈ {middle:.2f}×")


def made_up(table: dict[str, Any]) -> dict[str, Any]:
    """Times as `pruning.latency.steps.Steps` are kept: 2 ms for more than 16 channels out, 1 ms for fewer."""
    tensors = {tensor["name"]: tensor for tensor in table["tensors"]}
    units = [group["units"] for group in table["groups"]]

    def length(tensor: dict[str, Any], dim: int) -> int:
        still, parts = tensor["dims"][dim]
        return int(still + sum(units[group] * positions for group, positions in parts))

    calls, grids = [], []
    for layer in table["layers"]:
        tensor = table["tensors"][layer["tensor"]]
        rows = list(range(1, length(tensors[tensor["name"]], 0) + 1))
        times = [[2.0 if width > 16 else 1.0] for width in rows]
        calls.append({"layer": layer["name"], "tensor": tensor["name"], "grid": len(grids), "parts": [1, 1],
                      "output": 0, "elements": 1})  # fmt: skip
        grids.append({"rows": rows, "columns": [length(tensor, 1)], "times": times, "noise": 0.05})
    dense = sum(grid["times"][-1][0] for grid in grids) + 0.5
    return {"version": 1, "batch": 1, "threads": 1, "torch": "", "cpu": "", "dense": dense, "grids": grids,
            "calls": calls, "fixed": 0.5, "per_element": 0.0, "error": 0.02, "checks": [], "drift": 0.0}  # fmt: skip


def call(page: Page, function: str, cases: list[Any]) -> list[Any]:
    """What one of the board's own functions gives for each list of arguments."""
    found: list[Any] = page.evaluate(
        """async ([code, name, cases]) => {
          const url = URL.createObjectURL(new Blob([`${code}\\nexport const f = ${name};`], {type: "text/javascript"}));
          const {f} = await import(url);
          return cases.map((arguments_) => f(...arguments_));
        }""",
        [script(), function, cases],
    )
    return found


def test_the_boards_words_are_pythons(page: Page) -> None:
    numbers = [0, 1, 12, 999, 999.4, 1000, 1125, 1135, 9994, 9995, 12_500, 99_949, 99_950, 999_499, 999_500, 2.675e6,
               1.125e9, 4.35e7, 26_850_000, 270_896]  # fmt: skip
    assert call(page, "amount", [[number] for number in numbers]) == [words.amount(number) for number in numbers]
    pairs = [(9, 8), (11, 8), (2675, 1000), (1005, 1000), (270_896, 142_118), (995, 10), (99_500, 1000), (12_345, 100)]
    assert call(page, "ratio", [list(pair) for pair in pairs]) == [words.ratio(*pair) for pair in pairs]
    times = [0.125, 0.844, 9.995, 10.25, 99.96, 123.5]
    assert call(page, "milliseconds", [[time] for time in times]) == [words.milliseconds(time) for time in times]


@pytest.mark.parametrize("name", ["mini_resnet", "lenet5", "resnet20"])
def test_the_boards_costs_and_times_are_pythons(page: Page, name: str) -> None:
    """On random plans; the table itself is held to the engine's counts in tests/cost/test_cost_table.py."""
    from pruning.cost.table import cost_table
    from pruning.latency.steps import Steps, predict
    from pruning.subject import open_subject

    table = cost_table(open_subject(f"sample:{name}").graph)
    data, chance = table.to_json(), random.Random(name)
    plans = [{group.name: chance.randint(1, group.units) for group in table.groups} for _ in range(20)]
    left = [[plan[group.name] for group in table.groups] for plan in plans]
    counts = call(page, "costsOf", [[data, one] for one in left])
    assert [(count["params"], count["macs"]) for count in counts] == [
        (count.params, count.macs) for count in map(table.count, plans)
    ]
    made = made_up(data)
    for grid in made["grids"]:  # measured at some widths only: between them it is a line
        thin = grid["rows"][::3]
        grid.update(rows=thin, times=[[chance.random()] for _ in thin])
    guesses = call(page, "predictTime", [[made, data, one] for one in left])
    wanted = [predict(Steps.from_json(made), table, plan) for plan in plans]
    assert [guess["middle"] for guess in guesses] == pytest.approx([guess.middle for guess in wanted])
    assert [guess["low"] for guess in guesses] == pytest.approx([guess.low for guess in wanted])


MOUNT = """(code) => {
  const url = URL.createObjectURL(new Blob([code], {type: "text/javascript"}));
  const place = document.body.appendChild(document.createElement("div"));
  const said = window.said = [];
  window.give = async (data) => {
    const {default: mount} = await import(url);
    mount({parentElement: place, data, setStateValue: (name, state) => said.push(state)});
    await new Promise((done) => setTimeout(done, 100));
    return place.querySelector(".row input")?.value;
  };
  window.drag = (value, kind = "input") => {
    const input = place.querySelector(".row input");
    input.value = value;
    input.dispatchEvent(new Event(kind));
  };
  window.place = place;
}"""
"""The component without Streamlit: `give` data to it, `drag` its one slider, and see what it `said`."""


def small_board(name: str = "fc1", **changes: Any) -> dict[str, Any]:
    """Data of a network of one linear layer, of four units and three inputs, and a locked one."""
    row = {"name": name, "label": name, "words": name, "total": 4, "least": 1, "layers": [name, name],
           "readers": [name], "reading": [], "locked": None, "scores": [1, 2, 3, 4]}  # fmt: skip
    table = {
        "groups": [{"name": name, "units": 4, "layers": [0], "producers": [0], "consumers": []}],
        "tensors": [{"name": name, "dims": [[0, [[0, 1]]], [3, []]], "parameter": True}],
        "layers": [{"name": name, "kind": "linear", "tensor": 0, "macs": [1, 1]}],
        "products": [],
    }
    return {
        "shape": "x", "token": "1", "granularity": "channel", "criterion": "l2", "criteria": [["l2", name, ""]],
        "kinds": [["channel", name, name], ["weight", name, name]],
        "rows": [row, row | {"name": "other" + name, "locked": name}], "removed": {}, "asked": {}, "share": 0,
        "pinned": [], "mode": "uniform", "chosen": None, "table": table,
        "dense": {"params": 12, "macs": 12, "nonzero": 12}, "curves": {}, "metric": "accuracy",
        "axis": {"low": 0, "high": 1, "marks": ["0 %", "50 %", "100 %"]}, "limit": None, "steps": None,
        "drops": {}, "widths": {"running": False, "button": name, "words": name}, "times": [], "threads": name,
        "places": [["eager", name, True], ["on x", name, False]], "place": "on x",
        "allLocked": name, "heard": {},
    } | changes  # fmt: skip


def test_names_of_layers_are_text(page: Page) -> None:
    """A name from an uploaded file may hold anything: the board puts it in as text."""
    name = "<img src=x onerror='window.broken=1'>"
    page.evaluate(MOUNT, script())
    page.evaluate("(data) => give(data)", small_board(name))
    page.wait_for_timeout(200)
    found = "[place.querySelectorAll('img').length, window.broken ?? 0, place.innerText.includes('<img src=x')]"
    assert page.evaluate(found) == [0, 0, True]


def test_late_data_moves_nothing_and_a_new_token_does(page: Page) -> None:
    page.evaluate(MOUNT, script())
    give = "(data) => give(data)"
    assert page.evaluate(give, small_board()) == "0"
    page.evaluate("drag(2)")
    late = small_board(removed={"fc1": 1}, curves={"fc1": [[0, 0.9], [0.5, 0.8]]})
    assert page.evaluate(give, late) == "2", "data that does not impose a plan leaves the hand alone"
    assert page.evaluate(give, small_board(token="2", removed={"fc1": 1})) == "1", "an adopted recipe does not"
    page.evaluate("drag(3); drag(3, 'change')")
    assert page.evaluate("said.at(-1).removed") == {"fc1": 3} and page.evaluate("said.at(-1).token") == "2"
    for expected in ("1", "2"):
        page.locator("[data-tool=undo]").click()
        assert page.locator(".row input").first.input_value() == expected


def test_a_refused_clipboard_leaves_a_text_to_copy(page: Page) -> None:
    page.evaluate(MOUNT, script())  # on a blank page there is no clipboard
    page.evaluate("(data) => give(data)", small_board(removed={"fc1": 3}))
    page.locator("[data-tool=copy]").click()
    assert page.locator(".copied textarea").input_value() == '{"fc1":0.75}'
    assert page.evaluate("document.activeElement.selectionEnd") == len('{"fc1":0.75}'), "all of it is selected"


def test_messages_are_few_while_a_hand_moves_and_the_last_is_sent_at_once(page: Page) -> None:
    page.evaluate(MOUNT, script())
    page.evaluate("(data) => give(data)", small_board())
    events, messages = page.evaluate(
        """async () => {
          const until = performance.now() + 1000;
          let events = 0;
          while (performance.now() < until) {
            drag(events % 4);
            events += 1;
            await new Promise((done) => setTimeout(done, 5));
          }
          const during = said.length;
          drag(2);
          drag(2, "change");
          return [events, during, said.length, said.at(-1).removed.fc1];
        }"""
    )[:2]
    assert events > 40 and 5 <= messages <= 11, "one message in 120 ms"
    assert page.evaluate("said.at(-1).removed") == {"fc1": 2}


def script() -> str:
    from ui.prune import board as board_component

    return board_component.script()
