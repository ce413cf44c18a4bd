"""What the package promises as a package."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import nnr_conformance
from nnr_conformance.data import data_path
from nnr_conformance.errors import UsageError

ROOT = Path(__file__).parents[1]
STREAM = ROOT / "bitstreams" / "interop" / "nncodec" / "s10_edge_names_int.nnc"


def run(code: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=environment or None
    ).stdout.strip()


def test_normative_data_and_streams_ship_with_the_package() -> None:
    assert data_path("spec/readings.yaml").is_file()
    assert data_path("bitstreams/interop/nncodec/index.json").is_file()
    assert data_path("docs/explorer/interpreter.js").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert shipped == {name: f"nnr_conformance/{name}" for name in ("spec", "bitstreams", "docs/explorer")}


def test_a_small_stream_is_decoded_without_the_compiler() -> None:
    code = (
        "import sys, nnr_conformance\n"
        f"report = nnr_conformance.check(open({str(STREAM)!r}, 'rb').read())\n"
        "print(report.verdict.value, 'numba' in sys.modules, 'llvmlite' in sys.modules)"
    )
    assert run(code) == "conforming False False"


def test_the_command_modules_import_nothing_of_hypothesis_sphinx_or_torch() -> None:
    code = (
        "import sys\nfrom nnr_conformance.cli import check, decode, explain\n"
        "print(sorted({'hypothesis', 'sphinx', 'torch', 'nncodec', 'numba'} & set(sys.modules)))"
    )
    assert run(code) == "[]"


def test_dependency_arrows_point_one_way() -> None:
    """entropy knows arrays and integers, report its model, and nothing imports cli."""
    imports = {
        path.relative_to(ROOT / "nnr_conformance").as_posix(): set(
            re.findall(r"^from nnr_conformance\.([a-z_]+)", path.read_text(), re.MULTILINE)
        )
        for path in (ROOT / "nnr_conformance").rglob("*.py")
    }
    for name, found in imports.items():
        layer = name.partition("/")[0]
        if layer != "cli":
            assert "cli" not in found, name
        if layer == "entropy":
            assert not found & {"syntax", "decoder", "encoder", "checker", "report", "framing", "scope"}, name
        if layer == "syntax":
            assert not found & {"entropy", "decoder", "encoder", "checker", "report", "api"}, name
        if layer == "decoder":
            assert not found & {"encoder", "checker", "report", "api"}, name
        if layer == "report":
            assert not found & {"entropy", "decoder", "encoder", "checker", "api"}, name


@pytest.mark.parametrize("data", [None, 3, "text", [], ["text"], [b"", None]])
def test_what_is_no_stream_is_refused_as_wrong_use(data: object) -> None:
    with pytest.raises(UsageError):
        nnr_conformance.decode(data)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        nnr_conformance.check(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_any_bytes_like_object_is_a_stream(wrap: type) -> None:
    assert nnr_conformance.decode(wrap(STREAM.read_bytes())).tensors


@pytest.mark.parametrize("path", sorted((ROOT / "spec").rglob("*.yaml")), ids=lambda path: path.stem)
def test_normative_data_reads_the_same_with_and_without_libyaml(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if hasattr(yaml, "CSafeLoader"):
        assert yaml.load(text, yaml.SafeLoader) == yaml.load(text, yaml.CSafeLoader)
    else:
        assert yaml.safe_load(text)
