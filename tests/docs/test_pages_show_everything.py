"""Everything that is declared, registered or stored has its place on the pages: counted without Sphinx."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from nnr_conformance.data import data_path, load_yaml
from nnr_conformance.machines import Machine
from nnr_conformance.suite.registry import GROUPS, Status, load_requirements
from nnr_conformance.syntax.declaration import Element, walk
from nnr_conformance.syntax.describe import structures
from nnr_conformance.syntax.semantics import Semantics, all_semantics
from nnr_sphinx.entropy_drawings import DRAWINGS
from nnr_sphinx.lines_run import function_at
from nnr_sphinx.machine_drawing import machine_at
from nnr_sphinx.page_text import PAGES, Used, pages, used, with_rest
from nnr_sphinx.steps import steps_of
from nnr_sphinx.stored_streams import stored_streams, streams_about


def shown(name: str) -> Counter[str]:
    """How often each word is an argument of a directive."""
    return Counter(word for one in used(name) for word in one.argument.split())


def test_each_structure_has_one_table() -> None:
    assert shown("nnr:syntax") == Counter(list(structures()))


def selects(one: Used, row: Semantics) -> bool:
    """Whether a directive for semantics shows an element."""
    return row.group == one.argument and one.options.get("structure", row.structures[0]) == row.structures[0]


def test_each_element_has_its_semantics_on_one_page() -> None:
    found = {name: sum(selects(one, row) for one in used("nnr:semantics")) for name, row in all_semantics().items()}
    assert {name: count for name, count in found.items() if count != 1} == {}


def test_each_declared_element_has_semantics() -> None:
    parts = (part for structure in structures().values() for part in walk(structure))
    assert {part.name for part in parts if isinstance(part, Element)} <= set(all_semantics())


def test_each_requirement_has_one_place() -> None:
    assert shown("nnr:requirements") == Counter(group.letters for group in GROUPS)


def test_each_table_has_one_place() -> None:
    names = [name for path in data_path("spec/tables").glob("*.yaml") for name in load_yaml(f"spec/tables/{path.name}")]
    assert shown("nnr:table") == Counter(names)


@pytest.mark.parametrize("name", ["nnr:readings", "nnr:divergences", "nnr:diagnostics", "nnr:covered", "nnr:tools"])
def test_each_list_is_shown_whole_and_once(name: str) -> None:
    assert [one.argument for one in used(name)] == [""]


def test_each_stream_is_listed_on_a_page_that_exists() -> None:
    assert {stream.page for stream in stored_streams().values()} == {one.page for one in used("nnr:streams")}


def test_each_machine_is_drawn() -> None:
    files = [path for folder in ("checker", "decoder") for path in data_path("nnr_conformance").glob(f"{folder}/*.py")]
    names = []
    for path in files:
        module = path.relative_to(data_path("nnr_conformance").parent).with_suffix("").as_posix().replace("/", ".")
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.endswith("= Machine("):
                names.append(f"{module}:{line.partition(' ')[0]}")
    assert sorted(shown("nnr:machine")) == sorted(names)
    assert all(isinstance(machine_at(name), Machine) for name in names)


def test_each_drawing_is_used() -> None:
    assert shown("nnr:drawing") == Counter(list(DRAWINGS))


def test_each_page_is_in_a_table_of_contents() -> None:
    listed = {"index"}
    for one in used("toctree"):
        folder = Path(one.page).parent
        content = with_rest(one.content) if one.page == "index" else one.content
        for line in filter(None, map(str.strip, content.splitlines())):
            found = PAGES.joinpath(folder).glob(f"{line}.md") if "*" in line else [PAGES / folder / f"{line}.md"]
            listed |= {path.resolve().relative_to(PAGES).with_suffix("").as_posix() for path in found}
    assert listed == {path.relative_to(PAGES).with_suffix("").as_posix() for path in pages()}


@pytest.mark.parametrize("one", used("nnr:function"), ids=lambda one: one.argument)
def test_steps_cover_the_function_that_they_describe(one: Used) -> None:
    function = function_at(one.argument)
    steps = steps_of(function, one.content)
    assert all(step.words for step in steps)
    shown_lines = {line for step in steps for line in step.lines}
    assert len(shown_lines) == sum(len(step.lines) for step in steps)


@pytest.mark.parametrize("one", used("nnr:function"), ids=lambda one: one.argument)
def test_each_function_says_what_it_rests_on(one: Used) -> None:
    named = one.options.get("requirements", "").split()
    assert named or one.options["basis"].split()[-1] in {"high", "medium", "low"}
    assert set(named) <= set(load_requirements())


def test_each_requirement_that_is_tested_has_a_stream() -> None:
    tested = {row.id for row in load_requirements().values() if row.status is Status.CHECKED}
    assert tested - set(streams_about()) == set()
