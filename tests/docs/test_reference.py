"""Commands, schemas, modules and public symbols on the reference pages."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

import nnr_conformance
from nnr_conformance.limits import Limits
from nnr_conformance.report.model import Verdict
from nnr_sphinx.docstrings import USERS, fields_of, module, module_names, paragraphs, public_symbols, signature
from nnr_sphinx.page_text import PAGES, used

SETTINGS = tomllib.loads((PAGES.parent / "pyproject.toml").read_text(encoding="utf-8"))


def test_each_command_of_the_package_is_printed_once() -> None:
    assert Counter(one.argument for one in used("nnr:command")) == Counter(list(SETTINGS["project"]["scripts"]))


@pytest.mark.parametrize("name", ["nnr:api", "nnr:schemas"])
def test_lists_are_printed_whole_and_once(name: str) -> None:
    assert [one.argument for one in used(name)] == [""]


def test_each_part_of_the_package_is_listed() -> None:
    parts = [one.argument for one in used("nnr:modules")]
    assert len(set(parts)) == len(parts)
    folders = {path.parent for path in Path(nnr_conformance.__path__[0]).rglob("*.py")}
    named = {"/".join(part.split(".")[1:]) for part in parts}
    assert {path.relative_to(nnr_conformance.__path__[0]).as_posix().removeprefix(".") for path in folders} - named == {
        "suite/corpus/families",
        "suite/corpus/intent",
        "suite/cfp2019/trained",
    }, "folders below are listed with the one around them"


def test_what_the_package_exports_is_public() -> None:
    assert {one.name for one in public_symbols("nnr_conformance")} == set(nnr_conformance.__all__)


@pytest.mark.parametrize("name", module_names())
def test_each_module_says_what_it_is(name: str) -> None:
    assert paragraphs(module(name))


@pytest.mark.parametrize("name", USERS)
def test_each_symbol_for_callers_says_what_it_is(name: str) -> None:
    symbols = public_symbols(name)
    assert symbols
    assert [one.path for one in symbols if not one.summary and not fields_of(one.what)] == []


def test_long_signatures_have_a_line_for_each_parameter() -> None:
    def short(first: int, *, second: str = "a") -> None:
        """Short."""

    def long(first_of_all_parameters: int, *, second_of_all_parameters: str = "a", third: tuple[int, ...] = ()) -> None:
        """Long."""

    assert signature(short) == "(first: int, *, second: str = a) -> None"
    assert signature(long).splitlines()[:3] == ["(", "    first_of_all_parameters: int,", "    *,"]
    assert signature(long).endswith(") -> None")


def test_fields_are_those_of_the_class() -> None:
    assert ("dimensions", "int", str(Limits().dimensions)) in fields_of(Limits)
    assert ("CONFORMING", "", "'conforming'") in fields_of(Verdict)


def test_docstrings_keep_blocks_and_join_lines() -> None:
    def documented() -> None:
        """First
        paragraph with ``code``.

            a block
            of lines
        """

    assert paragraphs(documented) == ["First paragraph with `code`.", "    a block\n    of lines"]
