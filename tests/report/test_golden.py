"""The golden reports are what the renderers give, and rendering is deterministic."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nnr_conformance.report.formats import FORMATS
from tests.report import golden


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_is_its_golden_letter_by_letter(name: str) -> None:
    assert golden.text_of(name) == golden.path_of(name).read_bytes().decode("utf-8")


def test_no_golden_is_left_of_a_format_that_is_gone() -> None:
    assert {path.name for path in golden.FOLDER.iterdir()} == {golden.path_of(name).name for name in FORMATS}


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_holds_only_printable_characters(name: str) -> None:
    assert all(line.isprintable() for line in golden.text_of(name).split("\n"))


def test_text_imports_no_other_renderer() -> None:
    code = (
        "import sys\nfrom nnr_conformance.cli import check\n"
        "from nnr_conformance.report.formats import renderer\nrenderer('text')\n"
        "print(*[n for n in sys.modules if n.startswith(('nnr_conformance.report.', 'xml.', 'html'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.rpartition(".")[2] for name in done.stdout.split()} <= {"formats", "model", "text", "printing"}
