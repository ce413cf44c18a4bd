"""Declarations of implementations."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.registry_schemas import validator
from nnr_conformance.suite.runner.declaration import bounded, from_adapter, from_command, from_content, from_file
from nnr_conformance.suite.runner.implementation import Bounds
from nnr_conformance.version import VERSION

LEAST = {"name": "mydec", "version": "1", "decoder": "mydec {stream} -o {tensors}"}
RIGHT: list[dict[str, Any]] = [
    LEAST,
    {"adapter": "nnr-conformance"},
    {"adapter": "nnr-conformance", "name": "mine", "tools": ["uniform"], "editions": [1]},
    {**LEAST, "rejection_codes": [1, 2], "unsupported_codes": [3], "rejections": ["builtins.ValueError"]},
    {**LEAST, "bounds": {"seconds": 0.5, "memory": 1 << 30}, "environment": {"A": "b"}, "suffix": ".safetensors"},
    {**LEAST, "encoder": "myenc {tensors} -o {stream}", "readings": {"history": "plain"}, "editions": []},
    {"name": "e", "version": "1", "encoder": "myenc {tensors} {stream}"},
]
WRONG: list[Any] = [
    None,
    [],
    {},
    {"name": "mydec", "version": "1"},
    {"decoder": "mydec {stream}", "version": "1"},
    {"name": "mydec", "decoder": "mydec {stream}"},
    {**LEAST, "version_command": "mydec --version"},
    {**LEAST, "adapter": "nnr-conformance"},
    {**LEAST, "tool": ["uniform"]},
    {**LEAST, "version": 2},
    {**LEAST, "name": " "},
    {**LEAST, "tools": "uniform"},
    {**LEAST, "tools": ["uniform", "uniform"]},
    {**LEAST, "tools": [["uniform"]]},
    {**LEAST, "editions": [3]},
    {**LEAST, "editions": [True]},
    {**LEAST, "rejection_codes": [0]},
    {**LEAST, "rejection_codes": [256]},
    {**LEAST, "suffix": ".pt"},
    {**LEAST, "bounds": {"seconds": 0}},
    {**LEAST, "bounds": {"minutes": 1}},
    {**LEAST, "bounds": {"memory": 1.5}},
    {**LEAST, "readings": {"history": 1}},
]


@pytest.mark.parametrize("content", RIGHT)
def test_what_the_schema_takes_is_an_implementation(content: dict[str, Any]):
    validator("implementation").validate(content)
    made = from_content({name: found for name, found in content.items() if name != "readings"})
    assert made.name == content.get("name", "nnr-conformance")
    assert made.version == content.get("version", VERSION)


@pytest.mark.parametrize("content", WRONG)
def test_what_the_schema_refuses_is_wrong_use(content: Any):
    with pytest.raises(jsonschema.ValidationError):
        validator("implementation").validate(content)
    with pytest.raises(UsageError):
        from_content(content)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"decoder": "mydec -o {tensors}"}, "no place {stream} or {streams}"),
        ({"decoder": "mydec {stream} {out}"}, "place {out}"),
        ({"tools": ["unifrom"]}, "no tool 'unifrom'"),
        ({"rejection_codes": [2], "unsupported_codes": [2]}, "exit code 2"),
        ({"readings": {"nothing": "x"}}, "no reading 'nothing'"),
    ],
)
def test_what_no_schema_sees_is_wrong_use_all_the_same(more: dict[str, Any], said: str):
    with pytest.raises(UsageError, match=said.replace("{", r"\{").replace("}", r"\}")):
        from_content(LEAST | more)


def test_a_version_command_says_the_version(tmp_path: Path):
    script = tmp_path / "mydec.py"
    script.write_text("print('mydec 4.2')\nprint('more')\n")
    content = {name: found for name, found in LEAST.items() if name != "version"}
    path = tmp_path / "mydec.yaml"
    path.write_text("".join(f"{name}: '{found}'\n" for name, found in content.items()))
    with path.open("a") as file:
        file.write(f"version_command: '{sys.executable} {script}'\n")
    assert from_file(path).version == "mydec 4.2"


@pytest.mark.parametrize("command", ["/no/such/program", f"{sys.executable} -c 'raise SystemExit(3)'", "'"])
def test_a_version_command_that_fails_is_wrong_use(command: str):
    with pytest.raises(UsageError, match="version_command"):
        from_content({"name": "mydec", "version_command": command, "decoder": "mydec {stream}"})


@pytest.mark.parametrize("text", ["a: [", "\0", "- 1", "a: !!python/object:os.system {}"])
def test_a_file_that_declares_nothing_is_wrong_use(tmp_path: Path, text: str):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"x\.yaml"):
        from_file(path)
    with pytest.raises(UsageError, match="nowhere"):
        from_file(tmp_path / "nowhere.yaml")


def test_a_template_alone_is_named_after_its_program():
    assert from_command("/opt/bin/mydec {stream}").name == "mydec"


@pytest.mark.parametrize(
    "name", ["no-such-adapter", "no_such_module:Adapter", "json:nothing", "json:loads", "a b:c", "os:getcwd"]
)
def test_an_adapter_that_cannot_be_made_is_wrong_use(name: str):
    with pytest.raises(UsageError, match="adapter"):
        from_adapter(name)


def test_bounds_of_the_command_line_replace_those_of_the_declaration():
    made = bounded(from_command("x {stream}"), 2.0, None)
    assert made.bounds == Bounds(seconds=2.0)
    with pytest.raises(UsageError):
        bounded(made, 0.0, None)
