"""NNCodec's decoder through the suite: what is known of it is found by the run alone, and the files tell the run."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import yaml

pytest.importorskip("nncodec.nnc_core", reason="NNCodec is not installed, see the README")

from nnr_conformance.suite.results.baseline import compared, load_baseline
from nnr_conformance.suite.results.finding import Finding
from nnr_conformance.suite.results.header import header_of
from nnr_conformance.suite.results.report import RunReport, about_of
from nnr_conformance.suite.results.suspects import findings
from nnr_conformance.suite.results.unit_order import with_unit_orders
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.declaration import from_adapter, from_content
from nnr_conformance.suite.runner.driver import run_cases
from nnr_conformance.suite.runner.executors import executor_for
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Case, CaseResult

pytestmark = pytest.mark.interop

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "nncodec"
PAGES = ROOT / "docs" / "implementations"

SELECTED = golden_cases()[::22]
"""Cases that are run by command as well, of which each starts Python once."""


def results(implementation: Implementation, cases: Iterable[Case]) -> dict[str, CaseResult]:
    with executor_for("", 2) as executor:
        return {one.case: one for one in run_cases(implementation, cases, executor)}


@pytest.fixture(scope="module")
def paths() -> Iterator[None]:
    """Example and page writer can be imported, and commands find the example."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLE))
        patch.syspath_prepend(str(PAGES))
        patch.chdir(ROOT)
        yield


@pytest.fixture(scope="module")
def report(paths: None) -> RunReport:
    """The whole corpus through the adapter."""
    implementation = from_adapter("nncodec_adapter:NNCodec")
    if implementation.version != "2.1.3":
        pytest.skip("the files are about NNCodec 2.1.3")
    cases = golden_cases()
    found = results(implementation, cases)
    header = header_of(implementation, len(cases), date="")
    made = RunReport(header, tuple(found[case.id] for case in cases), {case.id: about_of(case) for case in cases})
    return with_unit_orders(made, cases)


@pytest.fixture(scope="module")
def found(report: RunReport) -> tuple[Finding, ...]:
    """What the suite finds: from the run and the manifest, which know nothing of NNCodec."""
    return findings(report)


def about(found: Iterable[Finding], said: str, *properties: str) -> Finding:
    """The first finding with these properties of whose failures some say this."""
    return next(
        one
        for one in found
        if {*properties} <= {*one.properties} and any(said in words for words in (one.says, *one.said))
    )


def test_the_failures_are_those_of_the_baseline(report: RunReport) -> None:
    assert [*compared(report, load_baseline(EXAMPLE / "baseline-2.1.3.yaml")).lines()] == []


@pytest.mark.parametrize("release", ["2.1.3", "2.0.1"])
def test_every_failure_that_is_expected_has_a_reason_and_a_stream(release: str) -> None:
    baseline = load_baseline(EXAMPLE / f"baseline-{release}.yaml")
    assert (baseline.implementation, baseline.version) == ("NNCodec", release)
    assert all(group.reason for group in baseline.groups)
    assert {one.case for group in baseline.groups for one in group.cases} <= {case.id for case in golden_cases()}


@pytest.mark.parametrize("name", ["nncodec-command.yaml", "nncodec-2.0.1.yaml"])
def test_a_declaration_goes_with_the_baseline_of_its_release(name: str) -> None:
    assert yaml.safe_load((EXAMPLE / name).read_text(encoding="utf-8"))["name"] == "NNCodec"


def test_the_adapter_is_short() -> None:
    assert len((EXAMPLE / "nncodec_adapter.py").read_text(encoding="utf-8").splitlines()) <= 60


def test_the_command_comes_to_the_same_results_as_the_adapter(report: RunReport) -> None:
    content = yaml.safe_load((EXAMPLE / "nncodec-command.yaml").read_text(encoding="utf-8"))
    for name in ("version_command", "decoder"):
        content[name] = content[name].replace("python ", f"{sys.executable} ", 1)
    by_command = results(from_content(content), SELECTED)
    by_adapter = {one.case: one for one in report.results if one.case in by_command}
    assert len(by_command) > 60
    assert {name: (one.result, one.stage) for name, one in by_command.items()} == {
        name: (one.result, one.stage) for name, one in by_adapter.items()
    }


@pytest.fixture(scope="module")
def writer(paths: None) -> ModuleType:
    """The program that writes the pages."""
    return import_module("write_pages")


def test_the_page_and_the_baseline_are_what_this_run_gives(report: RunReport, writer: ModuleType) -> None:
    page = writer.PAGES[0]
    for path, text in writer.files_of(page, writer.of_page(page, report)):
        assert path.read_text(encoding="utf-8") == text


def test_layer_parameter_sets_are_found_to_fail_without_being_told(found: tuple[Finding, ...]) -> None:
    one = about(found, "KeyError: 'lps_", "tool:layer parameter set")
    assert one.failed == one.ran >= 30
    assert "requirements/6/6-lps-unused-01" in one.cases  # the stream of D-14


def test_products_of_g_and_h_are_found_to_fail_without_being_told(found: tuple[Finding, ...]) -> None:
    one = about(found, "KeyError: 'w_G'", "tool:decomposition")
    assert one.failed >= 0.9 * one.ran >= 90
    assert max(one.said, key=lambda said: one.said[said]) == "crash: KeyError: 'w_G'"  # D-50


def test_raw_floats_are_found_to_be_read_in_last_place_only_without_being_told(found: tuple[Finding, ...]) -> None:
    one = about(found, "slice indices must be integers", "order:raw float before a unit")  # D-37
    assert one.failed >= 0.95 * one.ran >= 90


def test_entry_points_of_width_one_are_found_to_be_present_without_being_told(report: RunReport) -> None:
    assert [*report.followed["narrow-entry-points"]] == ["present"]


def test_what_is_found_tells_nearly_all_failures(report: RunReport, found: tuple[Finding, ...]) -> None:
    assert sum(len(one.cases) for one in found) > 0.95 * len(report.failures)
    assert len(found) < 40
