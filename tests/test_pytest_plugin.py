"""The pytest plugin: a decoder of someone else as tests, and the fixture for encoders, in runs of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from nnr_conformance.data import data_path
from nnr_conformance.suite.results.baseline import Baseline, Expected, Group
from nnr_conformance.suite.results.baseline_file import text_of
from nnr_conformance.suite.runner.model import Result

ROOT = Path(__file__).parents[1]
ACCEPTED = "core/10-entry-points-01"
OTHER = "core/6-carried-data-02"
INVALID = "requirements/6/6-aggregate-dependent-empty-02"

ADAPTER = """
from nnr_conformance.adapters import Decoding, NotSupported, Rejected
from nnr_conformance.suite.runner.own import Interpreted

class Sound(Interpreted):
    name, version = "Sound", "1"

class Refusing:
    name, version = "Refusing", "1"
    def decode(self, job):
        raise Rejected("no stream is good enough <&>")

class Lazy:
    name, version = "Lazy", "1"
    def decode(self, job):
        raise NotSupported("not today")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of someone else, in which only the plugins are loaded that a run names."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(pytester.path)]))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(decoders=ADAPTER)
    return pytester


def decoder_run(project: pytest.Pytester, *arguments: object, adapter: str = "decoders:Sound") -> pytest.RunResult:
    return plain_run(project, "--pyargs", "nnr_conformance.suite", "--nnr-adapter", adapter, *arguments)


def plain_run(project: pytest.Pytester, *arguments: object) -> pytest.RunResult:
    return project.runpytest_subprocess(
        "-p", "nnr_conformance.pytest_plugin", "-p", "xdist.plugin", "--strict-markers", *map(str, arguments)
    )


def baseline_file(project: pytest.Pytester, group: Group, name: str = "Refusing") -> Path:
    path = project.path / "baseline.yaml"
    path.write_text("\n".join(text_of(Baseline(name, "1", "", "", (group,)))), encoding="utf-8")
    return path


REFUSED = Group(Result.REJECTED, (Expected(ACCEPTED),), "It refuses everything.")


def test_each_case_is_a_test_with_the_name_of_its_stream(project: pytest.Pytester) -> None:
    ran = decoder_run(project, "-v", "--nnr-only", ACCEPTED, "--nnr-only", OTHER)
    ran.assert_outcomes(passed=2)
    for case in (ACCEPTED, OTHER):
        ran.stdout.fnmatch_lines([f"*test_decoder[[]{case}[]] PASSED*"])


def test_a_decoder_is_a_command_too(project: pytest.Pytester) -> None:
    command = f"{sys.executable} -m nnr_conformance.cli.decode {{streams}} -o {{tensors}}"
    ran = plain_run(
        project, "--pyargs", "nnr_conformance.suite", "--nnr-decoder", command, "--nnr-only", ACCEPTED, "-v"
    )
    ran.assert_outcomes(passed=1)
    ran.stdout.fnmatch_lines(["nnr: *, command * -m nnr_conformance.cli.decode {streams} -o {tensors}; streams *"])
    assert str(Path(sys.executable).parent) not in ran.stdout.str().split("nnr: ")[1].splitlines()[0]


def test_a_failure_says_in_one_line_what_became_of_which_case(project: pytest.Pytester) -> None:
    ran = decoder_run(project, "--nnr-only", ACCEPTED, adapter="decoders:Refusing")
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines([f"{ACCEPTED}: rejected*"])
    assert "Traceback" not in ran.stdout.str()
    assert "def test_decoder" not in ran.stdout.str()


def test_a_rejection_of_a_nonconforming_stream_passes(project: pytest.Pytester) -> None:
    decoder_run(project, "--nnr-only", INVALID, adapter="decoders:Refusing").assert_outcomes(passed=1)


def test_what_is_not_supported_is_skipped_with_the_reason(project: pytest.Pytester) -> None:
    ran = decoder_run(project, "-rs", "--nnr-only", ACCEPTED, adapter="decoders:Lazy")
    ran.assert_outcomes(skipped=1)
    ran.stdout.fnmatch_lines(["SKIPPED*not-supported*"])


def test_an_expected_failure_is_one_of_pytest_with_its_reason(project: pytest.Pytester) -> None:
    path = baseline_file(project, REFUSED)
    ran = decoder_run(project, "-rx", "--nnr-only", ACCEPTED, "--nnr-baseline", path, adapter="decoders:Refusing")
    ran.assert_outcomes(xfailed=1)
    ran.stdout.fnmatch_lines(["XFAIL*It refuses everything.*"])


@pytest.mark.parametrize(
    ("adapter", "group", "said"),
    [
        ("Sound", REFUSED, "*XPASS(strict)*It refuses everything.*"),
        ("Lazy", REFUSED, "*expected rejected, and was not run: not-supported*"),
        ("Refusing", Group(Result.CRASH, REFUSED.cases, "Why."), "*expected crash, found rejected*"),
        ("Refusing", Group(Result.REJECTED, REFUSED.cases), "*the baseline gives no reason*"),
    ],
    ids=["passes", "is not supported", "fails in another way", "has no reason"],
)
def test_a_listed_case_breaks_the_run_when_it(project: pytest.Pytester, adapter: str, group: Group, said: str) -> None:
    path = baseline_file(project, group, adapter)
    ran = decoder_run(project, "--nnr-only", ACCEPTED, "--nnr-baseline", path, adapter=f"decoders:{adapter}")
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines([said])


@pytest.mark.parametrize(
    ("expression", "passed"),
    [
        ("nnr_clause(number=8)", 0),
        ("nnr_clause(number=10)", 1),
        ("nnr_edition(number=2)", 2),
        ("nnr_tool(name='entry points')", 1),
        ("nnr_class(name='core') and not nnr_requirement(id='R-EP-01')", 1),
    ],
)
def test_markers_select_cases(project: pytest.Pytester, expression: str, passed: int) -> None:
    ran = decoder_run(project, "--nnr-only", ACCEPTED, "--nnr-only", OTHER, "-m", expression)
    ran.assert_outcomes(passed=passed, deselected=2 - passed)


def test_names_select_cases(project: pytest.Pytester) -> None:
    ran = decoder_run(project, "--nnr-only", ACCEPTED, "--nnr-only", OTHER, "-k", "entry-points-01")
    ran.assert_outcomes(passed=1, deselected=1)


def test_markers_are_explained(project: pytest.Pytester) -> None:
    ran = plain_run(project, "--markers")
    ran.stdout.fnmatch_lines(["@pytest.mark.nnr_tool(name): *", ""])


def test_workers_of_xdist_share_the_cases_and_junit_has_each_with_its_result(project: pytest.Pytester) -> None:
    path = baseline_file(project, REFUSED)
    arguments = ("--nnr-only", "10/entry-points", "--nnr-baseline", path, "--junitxml=out.xml", "-n", "2")
    ran = decoder_run(project, *arguments, adapter="decoders:Refusing")
    root = ET.fromstring((project.path / "out.xml").read_bytes())
    cases = {re.sub(r".*\[(.*)\]", r"\1", case.get("name", "")): case for case in root.iter("testcase")}
    outcomes = ran.parseoutcomes()
    assert outcomes["xfailed"] == 1
    assert sum(outcomes.values()) == len(cases) > 20
    failed = {name: case.find("failure") for name, case in cases.items() if case.find("failure") is not None}
    assert len(failed) == outcomes["failed"]
    assert all("rejected" in failure.get("message", "") for failure in failed.values() if failure is not None)
    (property_,) = cases[ACCEPTED].iter("property")
    assert (property_.get("name"), property_.get("value")) == ("result", "rejected")


def test_without_a_decoder_the_run_says_which_option_names_one(project: pytest.Pytester) -> None:
    ran = plain_run(project, "--pyargs", "nnr_conformance.suite")
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["say which decoder is tested: --nnr-decoder*"])
    assert "Traceback" not in ran.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nnr-decoder", "dec {nothing} {tensors}"], "*--nnr-decoder: *{nothing}*"),
        (["--nnr-decoder", "dec {stream} {tensors}", "--nnr-adapter", "a:b"], "*name two decoders*"),
        (["--nnr-adapter", "nowhere:Nothing"], "*--nnr-adapter: *nowhere*"),
        (["--nnr-implementation", "missing.yaml"], "*--nnr-implementation: *missing.yaml*"),
        (["--nnr-adapter", "decoders:Sound", "--nnr-only", "nothing"], "*no case matches*nothing*"),
        (["--nnr-adapter", "decoders:Sound", "--nnr-timeout", "0"], "*bounds*"),
        (["--nnr-adapter", "decoders:Sound", "--nnr-baseline", "missing.yaml"], "*missing.yaml*"),
    ],
)
def test_an_error_in_the_options_ends_the_run_in_one_line(
    project: pytest.Pytester, arguments: list[str], said: str
) -> None:
    ran = plain_run(project, "--pyargs", "nnr_conformance.suite", *arguments)
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines([said])
    assert "Traceback" not in ran.stderr.str()


@pytest.mark.parametrize(
    ("group", "name", "said"),
    [
        (REFUSED, "Another", "*is a baseline of Another 1, the decoder is Refusing 1*"),
        (Group(Result.FAIL, (Expected("core/gone"),), "Why."), "Refusing", "*does not exist: core/gone*"),
    ],
)
def test_a_baseline_of_another_decoder_or_of_other_streams_is_refused(
    project: pytest.Pytester, group: Group, name: str, said: str
) -> None:
    path = baseline_file(project, group, name)
    ran = decoder_run(project, "--nnr-baseline", path, adapter="decoders:Refusing")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines([said])


ENCODER_TESTS = """
import pytest
from pathlib import Path
STREAM = Path({stream!r})
FIRST, SECOND = Path({first!r}), Path({second!r})

def test_bytes(nnr_checked):
    found = nnr_checked(STREAM.read_bytes())
    assert found.report.verdict.value == "conforming"
    assert "decoded" not in vars(found)
    assert found.tensors.keys() and "decoded" in vars(found)

def test_path(nnr_checked):
    assert nnr_checked(STREAM).report.streams[0].name == STREAM.name
    assert nnr_checked(str(STREAM)).tensors.keys()

def test_chain(nnr_checked):
    assert len(nnr_checked(FIRST, SECOND.read_bytes()).report.streams) == 2

def test_options(nnr_checked):
    found = nnr_checked(STREAM, readings=["row-skip-state=per-position"], strict=True, edition=2)
    assert found.report.streams[0].readings == {{"row-skip-state": "per-position"}}

def test_wrong_option(nnr_checked):
    with pytest.raises(ValueError):
        nnr_checked(STREAM, edition=7)
    with pytest.raises(ValueError):
        nnr_checked("missing.nnr")

def test_cut_short(nnr_checked):
    nnr_checked(STREAM.read_bytes()[:-1])
"""


def test_the_fixture_checks_streams_of_an_encoder_and_fails_with_the_report(project: pytest.Pytester) -> None:
    folder = data_path("bitstreams/core")
    project.makepyfile(
        test_encoder=ENCODER_TESTS.format(
            stream=str(folder / "10-entry-points-01.nnr"),
            first=str(folder / "10-codebook-bounds-and-parents-01.nnr"),
            second=str(folder / "10-codebook-bounds-and-parents-02.nnr"),
        )
    )
    ran = plain_run(project, "test_encoder.py")
    ran.assert_outcomes(passed=5, failed=1)
    ran.stdout.fnmatch_lines(["*_ test_cut_short _*", "*stream 0*nonconforming*"])
    assert "Traceback" not in ran.stdout.str()


def test_a_project_that_does_not_use_the_plugin_imports_nothing_of_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_nothing="""
        import sys
        def test_nothing():
            loaded = {name for name in sys.modules if name.startswith("nnr_conformance")}
            assert loaded == {"nnr_conformance", "nnr_conformance.version", "nnr_conformance.pytest_plugin"}
            assert "numpy" not in sys.modules and "yaml" not in sys.modules
        """
    )
    plain_run(project, "test_nothing.py").assert_outcomes(passed=1)


def test_pytest_finds_the_plugin_of_an_installed_package() -> None:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert content["project"]["entry-points"]["pytest11"] == {"nnr_conformance": "nnr_conformance.pytest_plugin"}


def test_names_of_the_package_are_there_though_they_are_imported_late() -> None:
    code = (
        "import nnr_conformance as n\n"
        "print(*[name in dir(n) and bool(getattr(n, name)) for name in n.__all__])\n"
        "n.nothing"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.stdout.split() == ["True"] * 5
    assert "AttributeError: module 'nnr_conformance' has no attribute 'nothing'" in ran.stderr
