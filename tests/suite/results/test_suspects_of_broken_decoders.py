"""The faults of examples/broken that are one coding tool are found as that tool, by runs alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnr_conformance.suite.results.header import header_of
from nnr_conformance.suite.results.report import RunReport, about_of
from nnr_conformance.suite.results.suspects import findings
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.driver import run_cases
from nnr_conformance.suite.runner.executors import executor_for
from nnr_conformance.suite.runner.implementation import Implementation

BROKEN = Path(__file__).parents[3] / "examples" / "broken"

ADAPTER = """\
import sys
sys.path.insert(0, {folder!r})
import broken_decoder
from nnr_conformance.adapters import Decoding
from nnr_conformance.api import chain_decoder

broken_decoder.go_on_at_the_end()
if {fault!r}:
    getattr(broken_decoder, {fault!r})()


class Adapter:
    name, version = "broken", "1"

    def decode(self, job):
        chain = chain_decoder(list(job.streams), compiled=False)
        return Decoding({{tensor.name: tensor.values for tensor in chain}})
"""


def run(fault: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> RunReport:
    """The conforming streams of all tools, and of pairs of them, through a decoder with a fault."""
    module = f"adapter_with_{fault or 'no_fault'}"
    (folder / f"{module}.py").write_text(ADAPTER.format(folder=str(BROKEN), fault=fault))
    monkeypatch.syspath_prepend(str(folder))
    cases = [
        case
        for case in golden_cases()
        if case.kind == "tools"
        and case.verdict == "conforming"
        and not (case.check or case.readings)
        # Streams of NNCodec 1.0 need what this decoder is not told.
        and "32 prefix ids" not in case.tools
    ]
    implementation = Implementation("broken", "1", adapter=f"{module}:Adapter")
    with executor_for("", 1) as executor:
        found = {one.case: one for one in run_cases(implementation, cases, executor)}
    header = header_of(implementation, len(cases), date="", partial=True)
    return RunReport(header, tuple(found[case.id] for case in cases), {case.id: about_of(case) for case in cases})


def test_without_a_fault_nothing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = run("", tmp_path, monkeypatch)
    assert len(report.results) > 40
    assert report.failures == ()
    assert findings(report) == ()


@pytest.mark.parametrize(
    ("fault", "tool"),
    [
        ("local_scaling_ignored", "tool:local scaling"),
        ("update_not_added", "tool:update"),
        ("codebook_offset", "tool:codebook"),
        ("factor_by_columns", "tool:decomposition"),
    ],
)
def test_a_fault_is_found_as_its_tool(fault: str, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = findings(run(fault, tmp_path, monkeypatch))
    assert tool in first.properties
    assert first.failed >= 0.9 * first.ran
