"""Every op in the table: it exists, it is traced, and where its channels may go the smaller network is exact."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.fx import Graph, Node
from torch.fx.node import map_arg

from pruning.calls.cut import Cut, narrowed
from pruning.graph import rules
from pruning.graph.inputs import Inputs
from pruning.graph.labels import Labels
from pruning.graph.model_graph import Lessons, ModelGraph, label_model
from pruning.graph.ops import OPS, Op, of, table
from pruning.graph.ops.table import ROWS
from pruning.graph.propagate import walk
from pruning.graph.trace import Trace, op_of, trace
from pruning.planning.plan import Plan
from pruning.removal.apply import removed_model
from pruning.removal.reference import Masking, run
from pruning.removal.verify import check_removal
from tests.graph.op_calls import CALLS, Sample, packet

aten = torch.ops.aten
ATEN = {name.removeprefix("aten::").split(".")[0] for name in torch._C._dispatch_get_all_op_names()
        if name.startswith("aten::")} | {"getitem"}  # fmt: skip
UNTRACED = {name for name in OPS if name.startswith("sym_")} | {"_assert_scalar"}
"""Stand only in graphs whose sizes are open, which no trace here has."""
FAMILIES = {name: rows for name, rows in vars(table).items() if isinstance(rows, tuple) and rows is not ROWS}


def test_every_op_is_called_once() -> None:
    assert not set(OPS) - UNTRACED - set(CALLS), "these ops need their call in tests/graph/op_calls.py"
    assert not set(CALLS) - set(OPS), "tests/graph/op_calls.py calls these ops, which have no record in the table"
    assert not UNTRACED & set(CALLS), "these ops stand in no graph that is traced here, so they need no call"
    assert sorted(OPS) == sorted(op.name for op in ROWS) == sorted(op.name for rows in FAMILIES.values() for op in rows)


def call_of(name: str) -> Sample:
    """How the tests call an op."""
    assert name in CALLS, f"op '{name}' needs its call in tests/graph/op_calls.py"
    return CALLS[name]


class Branch(nn.Module):
    """A convolution of its own, and one op on what it gives."""

    def __init__(self, sample: Sample) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.weights = nn.ParameterList(torch.randn(shape) * 0.1 + 0.5 for shape in sample.weights)
        self.sample = sample

    def forward(self, x: Tensor) -> Tensor:
        made = self.sample.run(self.sample.op, self.stem(x), *self.weights)
        parts: list[Any] = list(made) if isinstance(made, list | tuple) else [made]
        return torch.stack([reading(part) for part in parts if isinstance(part, Tensor)]).sum()


def reading(made: Tensor) -> Tensor:
    """A consumer of all that an op makes, which no normalisation makes zero."""
    return (made.to(torch.float64) + 0.5).square().sum()


def branch_of(name: str) -> str:
    """The branch of an op."""
    return f"op_{name.replace('.', '_')}"


class Branches(nn.Module):
    """Many ops side by side, none of which sees the others' channels; a sum reads what each gives."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.branches = nn.ModuleDict({branch_of(name): Branch(call_of(name)) for name in names})

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([branch(x) for branch in self.branches.values()])


@cache
def network(family: str) -> tuple[nn.Module, ModelGraph]:
    """All ops of a family, labelled without trials: no size is written into the calls."""
    torch.manual_seed(0)
    names = [op.name for op in FAMILIES[family] if op.name not in UNTRACED]
    model, inputs = Branches(names).eval(), Inputs.of((3, 6, 6))
    return model, label_model(model, inputs, [trace(model, inputs)], Lessons())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", FAMILIES)
def test_each_op_is_traced_and_its_channels_go_exactly_or_stay_with_a_reason(family: str) -> None:
    names = [op.name for op in FAMILIES[family] if op.name not in UNTRACED]
    model, graph = network(family)
    called = {op_of(node) for node in graph.trace.nodes if node.op == "call_function"}
    assert set(names) <= called
    stays = {name: reasons(graph, name) for name in names}
    wrong = {name: why for name, why in stays.items() if bool(why) != bool(call_of(name).locked)}
    assert not wrong, "these stay for no stated reason, or go though they should stay"
    assert all(call_of(name).locked in why for name, why in stays.items()), stays
    kept = {group.name: tuple(range(group.units - group.units // 2)) for group in graph.groups}
    for name in names:
        assert stays[name] or f"branches.{branch_of(name)}.stem" in kept, f"{name} has no group of its own"
    plan = Plan(granularity="channel", kept=kept, layers=())
    check = check_removal(model, removed_model(model, graph, plan), graph, plan)
    drawn = any(OPS[name].random for name in names)
    assert check.status == ("not_comparable" if drawn else "exact"), check
    assert check.max_error is not None and check.max_error < 1e-9


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", [name for name, rows in FAMILIES.items() if any(row.on_cut for row in rows)])
def test_ops_run_on_cut_values_as_the_table_says(family: str) -> None:
    """With the arguments of the traced call, which were written down for all eight channels."""
    names = [op.name for op in FAMILIES[family] if op.on_cut == "as it is"]
    model, graph = network(family)
    tensors = {name: tensor.detach().double() for name, tensor in model.named_parameters()}
    kept = {group.name: tuple(range(0, group.units, 2)) for group in graph.groups}
    plan = Plan(granularity="channel", kept=kept, layers=())
    cut, mask = Cut(graph, plan, tensors), Masking(graph.walks[0], graph.removed(kept))
    values: dict[Node, Any] = {node: tensors[graph.trace.tensors[node.name]] for node in graph.trace.nodes
                               if node.name in graph.trace.tensors}  # fmt: skip
    met = set()
    for node, dense, _ in run(graph.trace, tensors, graph.inputs.random(2, torch.float64, seed=0)):
        values[node] = dense.clone() if isinstance(dense, Tensor) else dense
        if of(node).on_cut == "as it is" and node not in mask.means:
            called: Any = node.target
            left = map_arg(node.args, lambda source: narrowed(values[source], (), cut.left(source)).clone())
            zeroed = map_arg(node.args, lambda source: mask.zeroed(source, values[source].clone()))
            wanted, got = called(*zeroed, **node.kwargs), called(*left, **node.kwargs)
            for item, part in enumerate(wanted) if isinstance(wanted, tuple) else [(None, wanted)]:
                small = got if item is None else got[item]
                assert torch.allclose(narrowed(part, (), cut.left(node, item)), small, equal_nan=True), node
            met |= {of(node).name} if any(cut.left(source) for source in node.all_input_nodes) else set()
    assert set(names) - met <= {"mean"}  # over channels, which are those that are left


def reasons(graph: ModelGraph, name: str) -> str:
    """Why (some) channels of an op's convolution stay; '' where all may go."""
    weight = f"branches.{branch_of(name)}.stem.weight"
    return " ".join(
        group.locked or ""
        for group in graph.locked
        if any(slot.tensor == weight and slot.dim == 0 and slot.role == "producer" for slot in group.slots)
    )


@pytest.mark.parametrize("name", sorted(UNTRACED))
def test_ops_that_only_state_something_are_left_out(name: str) -> None:
    graph = Graph()
    x = graph.placeholder("x")
    x.meta["val"] = torch.zeros(2, 3)
    found = packet(name)
    stated = graph.call_function(getattr(found, found.overloads()[0]), (x,))
    graph.output(stated)
    labels = Labels()
    done = walk(Trace(nodes=tuple(graph.nodes), tensors={}, constants={}, batch=2), labels, {})
    assert of(stated).asserts and done.values[stated] is None and not labels.locks


def overloads(op: Op) -> list[torch.FunctionSchema]:
    found = packet(op.name)
    return [getattr(found, name)._schema for name in found.overloads() if "out" not in name]


def test_all_ops_are_of_torch_or_of_the_library_they_name() -> None:
    assert [name for name in OPS if "." not in name and not hasattr(aten, name)] == ["getitem"]
    assert all(packet(name).overloads() for name in OPS if "." in name)


def test_all_ops_that_only_state_something_are_known() -> None:
    assert {name for name in ATEN if name.startswith(("_assert", "sym_"))} == {op.name for op in ROWS if op.asserts}


def test_ops_write_into_their_operand_where_torch_says_so() -> None:
    for op in ROWS:
        if op.name not in ("getitem", *UNTRACED):
            first = [schema.arguments[0] for schema in overloads(op) if schema.arguments]
            writes = [a.alias_info is not None and a.alias_info.is_write for a in first]
            assert all(writes) == op.in_place, op.name


def test_ops_have_dim_where_the_table_says() -> None:
    for op in ROWS:
        if op.dim_place is not None:
            places = [[a.name for a in schema.arguments].index("dim") for schema in overloads(op)
                      if any(a.name == "dim" for a in schema.arguments)]  # fmt: skip
            assert op.dim_place in places, op.name


def called(name: str) -> tuple[Tensor, Tensor]:
    """What an op works on, and what it gives (the first of several)."""
    given: list[Any] = []

    def watched(*args: Any, **options: Any) -> Any:
        given.append((args[0], call_of(name).op(*args, **options)))
        return given[-1][1]

    call_of(name).run(watched, torch.randn(2, 8, 6, 6))
    operand, result = (side[0] if isinstance(side, list | tuple) else side for side in given[0])
    return operand, result


@pytest.mark.parametrize("name", [op.name for op in ROWS if op.shares_memory])
def test_results_share_memory_where_the_table_says(name: str) -> None:
    operand, result = called(name)
    assert result.untyped_storage().data_ptr() == operand.untyped_storage().data_ptr()


@pytest.mark.parametrize("name", [op.name for op in ROWS if op.overwrites])
def test_twins_write_over_their_operand_what_the_op_gives(name: str) -> None:
    x = torch.randn(4, 5)
    wanted = getattr(aten, name)(x.clone())
    assert torch.equal(getattr(aten, f"{name.removesuffix('_')}_")(x), wanted) and torch.equal(x, wanted)


@pytest.mark.parametrize("name", [op.name for op in ROWS if op.random and op.name != "normal"])
def test_ops_that_draw_give_other_numbers_each_time(name: str) -> None:
    operand = [64] if op_takes_sizes(name) else torch.full((64,), 0.5)
    once, again = (getattr(aten, name)(operand.copy() if isinstance(operand, list) else operand.clone()) for _ in "ab")
    assert not torch.equal(once, again)


def op_takes_sizes(name: str) -> bool:
    return overloads(OPS[name])[0].arguments[0].name == "size"


@pytest.mark.parametrize("name", [op.name for op in ROWS if op.dropout])
def test_dropouts_give_their_operand_back(name: str) -> None:
    x = torch.randn(4, 5)
    assert torch.equal(getattr(aten, name)(x, 0.5, False), x)


def rule_modules() -> list[ModuleType]:
    return [import_module(f"{rules.__name__}.{found.name}") for found in pkgutil.iter_modules(rules.__path__)]


def test_every_rule_is_the_rule_of_some_op() -> None:
    written = {
        function
        for module in rule_modules()
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
        and inspect.signature(function).return_annotation == "Result"
    }  # fmt: skip
    assert len(written) > 40 and written == {op.rule for op in ROWS} - {None}


READERS = ("graph", "removal", "whatif", "cost", "latency", "repair", "compare")
"""Rooms that look at the calls of a graph."""


def sets_of_ops(tree: ast.AST) -> list[tuple[int, list[str]]]:
    """Line and names of each collection at least half of which, and of each string of words all of which, are ops."""
    found = []
    for node in ast.walk(tree):
        parts: list[ast.expr | None] = []
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            parts = list(node.elts)
        elif isinstance(node, ast.Dict):
            parts = list(node.keys)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = [ast.Constant(word) for word in node.value.split()]
        names = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        ops = [name for name in names if name.removeprefix("aten.").split(".")[0] in ATEN]
        if len(ops) > 1 and len(ops) >= len(parts) / (1 if isinstance(node, ast.Constant) else 2):
            found.append((getattr(node, "lineno", 0), ops))
    return found


def test_nobody_else_keeps_names_of_ops() -> None:
    engine = Path(rules.__path__[0]).parents[1]
    files = [path for room in READERS for path in (engine / room).rglob("*.py") if path.parent.name != "ops"]
    assert len(files) > 40
    found = {f"{path.relative_to(engine)}:{line}": ops for path in files
             for line, ops in sets_of_ops(ast.parse(path.read_text()))}  # fmt: skip
    assert found == {}, "facts about ops belong into pruning.graph.ops.table"


@pytest.mark.parametrize(
    ("code", "complaints"),
    [
        ('MOVES = frozenset("view reshape flatten".split())', 1),
        ('if op_of(node) in ("slice", "narrow"): pass', 1),
        ('PLACES = {"chunk": 2, "split": 2}', 1),
        ('TARGETS = ["aten.relu.default", "aten.add.Tensor"]', 1),
        ('op.startswith(("contiguous", "_assert", "alias", "detach"))', 1),
        ('"""mm and bmm, as matmul."""', 0),
        ('if of(node).name == "getitem": pass', 0),
        ('ROLES = ("train", "select", "test")', 0),
    ],
)
def test_a_set_of_op_names_is_found(code: str, complaints: int) -> None:
    assert len(sets_of_ops(ast.parse(code))) == complaints


def test_an_op_nobody_has_looked_at_has_a_name_and_no_facts() -> None:
    graph = Graph()
    x = graph.placeholder("relu")
    strange = graph.call_function(aten.special_erfcx.default, (x,))
    assert of(strange) == Op(name="special_erfcx")
    assert of(x) == Op()  # a placeholder is no call, whatever its name
    assert of(graph.call_function(aten.relu_.default, (x,))) is OPS["relu_"]


@pytest.mark.parametrize("facts", [{"name": "aten.relu"}, {"asserts": True}, {"asked_without_labels": True},
                                   {"layer": "linear"}])  # fmt: skip
def test_facts_that_contradict_each_other_are_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        Op(**facts)
