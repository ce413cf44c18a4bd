"""The exported document is complete in itself, is as its schema says, and says what the declarations say."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.cli.suite import main
from nnr_conformance.descriptors import Must, u, value
from nnr_conformance.diagnostics import catalogue
from nnr_conformance.expressions import Function, evaluate, reading
from nnr_conformance.readings import known_readings
from nnr_conformance.suite.export.document import render, specification, syntax
from nnr_conformance.suite.export.expressions import FUNCTIONS, PRIMITIVES, expression_tree
from nnr_conformance.suite.export.structures import descriptor_to_json, parts_to_json
from nnr_conformance.suite.registry_schemas import validator
from nnr_conformance.syntax.compressed_data import holds_h
from nnr_conformance.syntax.declaration import Element, For, If, Let, Part, Structure, walk
from nnr_conformance.syntax.describe import structures
from nnr_conformance.syntax.semantics import all_semantics

Tree = Any

OPERATORS: Mapping[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,
    "%": operator.mod,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!": operator.not_,
    "max": max,
    "length": len,
    "at": operator.getitem,
    "product": math.prod,
    "ends with": str.endswith,
}


def value_of(tree: Tree, names: Mapping[str, Any], own: Any = None) -> Any:
    """What an expression tree comes to, by the words of docs/export.md."""
    if not isinstance(tree, dict):
        return tree
    if "own" in tree:
        return own
    if "name" in tree:
        return names[tree["name"]] if "default" not in tree else names.get(tree["name"], tree["default"])
    if "reading" in tree:
        return names[f"reading {tree['reading']}"]
    if "call" in tree:
        function = FUNCTIONS[tree["call"]]
        arguments = [value_of(operand, names, own) for operand in tree["of"]]
        return value_of(function["value"], dict(zip(function["parameters"], arguments, strict=True)))
    operands = tree["of"]
    if tree["op"] == "&&":
        return all(value_of(operand, names, own) for operand in operands)
    if tree["op"] == "||":
        return any(value_of(operand, names, own) for operand in operands)
    if tree["op"] == "?:":
        return value_of(operands[1 if value_of(operands[0], names, own) else 2], names, own)
    return OPERATORS[tree["op"]](*(value_of(operand, names, own) for operand in operands))


def trees(content: Any) -> Iterator[dict[str, Any]]:
    """All objects in a document."""
    if isinstance(content, Mapping):
        yield dict(content)
        yield from chain.from_iterable(map(trees, content.values()))
    elif isinstance(content, list | tuple):
        yield from chain.from_iterable(map(trees, content))


def declared_functions() -> dict[str, Function]:
    """The functions that declarations call, each with one of its calls."""
    found: dict[str, Function] = {}
    for structure in structures().values():
        for part in walk(structure):
            expressions = [getattr(part, key, None) for key in ("condition", "count", "first", "expression")]
            for expression in expressions:
                if isinstance(expression, Function):
                    found[expression.name] = expression
                    inner = (one for one in expression.arguments if isinstance(one, Function))
                    found.update({one.name: one for one in inner})
    return found


def test_the_document_is_as_its_schema_says() -> None:
    document = json.loads(render(specification()))
    assert [error.message for error in validator("specification").iter_errors(document)] == []
    assert document == specification()


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document["structures"]["codebook"]["parts"][0].update(part="thing"),
        lambda document: document["structures"]["codebook"]["parts"][0]["descriptor"].pop("width"),
        lambda document: document["structures"]["codebook"]["parts"][1]["must"].update(
            condition={"op": "**", "of": [1, 2]}
        ),
        lambda document: document["functions"]["HoldsH"].update(value={"name": "x", "own": True}),
        lambda document: document["state"].pop("initial"),
    ],
)
def test_the_schema_refuses_what_an_interpreter_could_not_read(damage: Callable[[Any], Any]) -> None:
    document = json.loads(render(syntax()))
    assert validator("specification").is_valid(document)
    damage(document)
    assert not validator("specification").is_valid(document)


def test_every_structure_element_and_variable_of_the_declarations_is_there() -> None:
    def names_of(parts: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        for part in parts:
            if part["part"] in {"element", "let"}:
                yield part["part"], part["name"]
            for key in ("then", "else", "parts"):
                yield from names_of(part.get(key, []))

    def declared(part: Part) -> Iterator[tuple[str, str]]:
        for inner in part.parts():
            if isinstance(inner, Element):
                yield "element", inner.name
            elif isinstance(inner, Let):
                yield "let", inner.name
            elif isinstance(inner, If | For):
                yield from declared(inner)

    exported = specification()["structures"]
    for name, structure in structures().items():
        assert list(names_of(exported[name]["parts"])) == list(declared(structure)), name


def test_everything_that_the_document_refers_to_is_in_it() -> None:
    document = specification()
    rows = {name: {row[key] for row in document[name]} for name, key in [("readings", "id"), ("diagnostics", "code")]}
    requirements = {row["id"] for row in document["requirements"]}
    names = {one["name"] for one in trees(document["structures"]) if "part" in one and "name" in one}
    names |= {name for one in trees(document["structures"]) if one.get("part") == "outside" for name in one["names"]}
    names |= {one["index"] for one in trees(document["structures"]) if one.get("part") == "for"}
    names |= set(document["state"]["initial"]) | {"broken"}
    names |= {name for one in document["structures"].values() for name in one["parameters"]}
    for one in trees({key: document[key] for key in ("structures", "framing", "unit", "state")}):
        if "reading" in one:
            assert one["reading"] in rows["readings"]
        if "code" in one:
            assert one["code"] in rows["diagnostics"]
        if "limit" in one:
            assert one["limit"] in document["limits"]
        if "call" in one:
            assert len(one["of"]) == len(document["functions"][one["call"]]["parameters"])
        if "structure" in one:
            structure = document["structures"][one["structure"]]
            assert len(one.get("arguments", [])) == len(structure["parameters"])
        if "enumeration" in one:
            assert one["enumeration"] in document["enumerations"]
        if "name" in one and "part" not in one:
            assert one["name"] in names
    codes = [*document["framing"]["codes"].values(), *document["descriptor_codes"].values()]
    assert set(codes) <= rows["diagnostics"]
    assert {row["requirement"] for row in document["diagnostics"]} <= requirements
    for row in document["semantics"]:
        assert set(row["requirements"]) <= requirements
    elements = {one["name"] for one in trees(document["structures"]) if one.get("part") == "element"}
    explained = {row["name"] for row in document["semantics"]}
    assert elements - explained == {"part", "unknown"}


def test_functions_see_their_parameters_and_nothing_else() -> None:
    for name, function in FUNCTIONS.items():
        for one in trees(function["value"]):
            assert "reading" not in one, name
            assert "own" not in one, name
            if "name" in one:
                assert one["name"] in function["parameters"], name


def test_what_is_said_again_as_data_is_all_there_is() -> None:
    assert set(declared_functions()) == (set(FUNCTIONS) | set(PRIMITIVES)) - {"HoldsH", "Entries"}
    assert {row["id"] for row in specification()["readings"]} == set(known_readings())
    assert {row["code"] for row in specification()["diagnostics"]} == set(catalogue())
    assert {row["name"] for row in specification()["semantics"]} == set(all_semantics())


SIZES = st.integers(0, 40) | st.integers(0, 1 << 40)
NAMES = st.sampled_from(["w", "w_G", "w_H", "", "_G", "_H", "a_H_G"])
OF_PARAMETER: Mapping[str, st.SearchStrategy[Any]] = {
    "reference_list": st.lists(NAMES, max_size=3).map(tuple),
    "index": st.integers(0, 4),
    "chosen": st.sampled_from(["minus-one", "exact", "move-to-front", "swap"]),
    "count": st.integers(0, 255),
    "dimensions": st.lists(st.integers(1, 100), min_size=2, max_size=4),
    "shift": st.integers(0, 5),
    "scan_order": st.integers(0, 15),
    "payload_type": st.integers(0, 31),
    "types": st.integers(0, 15),
    "rows": SIZES,
    "g_rows": SIZES,
    "rank": SIZES,
    "element": NAMES,
    "g_pending": st.integers(0, 1),
    "narrow": st.sampled_from(["absent", "present"]),
}


@pytest.mark.parametrize("name", sorted(set(declared_functions()) & set(FUNCTIONS)))
@given(data=st.data())
def test_a_function_computes_what_the_one_of_the_declaration_does(name: str, data: st.DataObject) -> None:
    parameters = FUNCTIONS[name]["parameters"]
    arguments = [data.draw(OF_PARAMETER[parameter], parameter) for parameter in parameters]
    expected = declared_functions()[name].function(*arguments)
    assert value_of(FUNCTIONS[name]["value"], dict(zip(parameters, arguments, strict=True))) == expected


@given(NAMES, st.integers(0, 1))
def test_the_order_of_factors_is_that_of_the_decoder(element: str, g_pending: int) -> None:
    names = {"element": element, "g_pending": g_pending}
    assert value_of(FUNCTIONS["HoldsH"]["value"], names) == holds_h(element, g_pending)


def conditions() -> list[tuple[str, Any]]:
    """All expressions of declarations that look at plain names only."""
    found = []
    for structure in structures().values():
        for part in walk(structure):
            if isinstance(part, If):
                found.append((structure.name, part.condition))
            elif isinstance(part, For):
                found += [(structure.name, part.count), (structure.name, part.first)]
    return found


@given(st.data())
def test_conditions_and_counts_come_to_the_same(data: st.DataObject) -> None:
    _, expression = data.draw(st.sampled_from(conditions()))
    tree = expression_tree(expression)
    names: dict[str, Any] = {}
    for one in trees(tree):
        if "name" in one:
            names[one["name"]] = data.draw(st.integers(0, 8), one["name"])
        if "reading" in one:
            choices = sorted(known_readings()[one["reading"]]["readings"])
            names[f"reading {one['reading']}"] = data.draw(st.sampled_from(choices), one["reading"])
    assert value_of(tree, names) == evaluate(expression, names)


def test_what_trees_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError, match="has no tree"):
        expression_tree(Function("Sqrt", math.sqrt, 4))
    with pytest.raises(TypeError, match="has no tree"):
        expression_tree(lambda scope: 1)
    with pytest.raises(TypeError, match="has no place"):
        parts_to_json([Part()])
    noted = Structure("noted", "count" / u(8, note=lambda count: f"{count} things"))
    with pytest.raises(TypeError, match="note"):
        parts_to_json(noted.members)


def test_a_requirement_and_a_reading_have_trees() -> None:
    assert expression_tree(Must(value <= 4, "x").condition) == {"op": "<=", "of": [{"own": True}, 4]}
    assert expression_tree(reading("map-count") == "exact") == {"op": "==", "of": [{"reading": "map-count"}, "exact"]}
    assert descriptor_to_json(u(3)) == {"kind": "u", "width": 3}


def test_the_command_writes_document_and_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "specification.json"
    assert main(["export", "--json", "-o", str(path)]) == 0
    assert json.loads(path.read_text(encoding="utf-8")) == specification()
    assert main(["export", "--json", "--syntax-only"]) == 0
    assert json.loads(capsys.readouterr().out) == syntax()
    assert main(["export", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$id"] == "urn:nnr-conformance:schema:specification:1"
    assert main(["export", "--json", "-o", str(tmp_path / "no" / "such")]) == 2


def test_nothing_but_one_thing_is_exported() -> None:
    with pytest.raises(SystemExit):
        main(["export"])
