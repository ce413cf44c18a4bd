"""The pytest plugin: options and markers for tests of a decoder, and the fixture `nnr_checked` for authors of encoders.

The tests of a decoder are in the package: ``pytest --pyargs nnr_conformance.suite --nnr-decoder "mydec {stream} -o
{tensors}"``. pytest imports this module in every run of anyone's tests, so the package is imported only where it is
used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nnr_conformance.suite.checked import Checked, Given
    from nnr_conformance.suite.decoder_tests import DecoderTests

IMPLEMENTATIONS = ("--nnr-decoder", "--nnr-adapter", "--nnr-implementation")

MARKERS = (
    "nnr_class(name): a test of a decoder with a stream of this class, such as core or nonconforming",
    "nnr_clause(number): with a stream for this clause of ISO/IEC 15938-17, 6 to 10",
    "nnr_edition(number): with a stream of this edition",
    "nnr_reading(id): with a stream that tells the choices of this reading apart",
    "nnr_requirement(id): with a stream about this requirement",
    "nnr_tool(name): with a stream that uses this coding tool",
)

DECODER_TESTS: pytest.StashKey[DecoderTests] = pytest.StashKey()
"""What the options of a run of pytest say about a decoder; absent where they say nothing."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; they are explained in docs/results.md."""
    group = parser.getgroup("nnr", "conformance of a decoder to ISO/IEC 15938-17 (nnr-conformance)")
    one, of, these = IMPLEMENTATIONS
    group.addoption(one, metavar="TEMPLATE", help="command of the decoder, such as 'mydec {stream} -o {tensors}'")
    group.addoption(of, metavar="NAME", help="entry point in nnr_conformance.adapters, or module:name")
    group.addoption(these, metavar="FILE", help="YAML declaration of the decoder")
    group.addoption("--nnr-baseline", metavar="FILE", help="failures that are expected, as nnr-suite run writes them")
    group.addoption("--nnr-only", metavar="SELECTOR", action="append", help="only these cases, such as 10/entry-points")
    group.addoption("--nnr-exclude", metavar="SELECTOR", action="append", help="without these cases")
    group.addoption("--nnr-timeout", metavar="S", type=float, help="wall-clock seconds of a case")
    group.addoption("--nnr-memory", metavar="MIB", type=int, help="address space of a case")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and read what the options name, so that an error in them ends the run before it begins."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    given = {name: config.getoption(name) for name in IMPLEMENTATIONS if config.getoption(name) is not None}
    if not given:
        return
    from nnr_conformance.errors import UsageError
    from nnr_conformance.suite.decoder_tests import decoder_tests

    if len(given) > 1:
        raise pytest.UsageError(f"{' and '.join(given)} name two decoders")
    ((name, value),) = given.items()
    try:
        config.stash[DECODER_TESTS] = decoder_tests(
            name.removeprefix("--nnr-"),
            value,
            baseline=config.getoption("--nnr-baseline"),
            only=config.getoption("--nnr-only") or (),
            exclude=config.getoption("--nnr-exclude") or (),
            seconds=config.getoption("--nnr-timeout"),
            mebibytes=config.getoption("--nnr-memory"),
        )
    except UsageError as error:
        raise pytest.UsageError(f"{name}: {error}") from error


def pytest_report_header(config: pytest.Config) -> str | None:
    """The decoder in the header of the run."""
    return config.stash[DECODER_TESTS].title if DECODER_TESTS in config.stash else None


class NnrChecked:
    """What the fixture `nnr_checked` gives."""

    def __call__(self, stream: Given, *more: Given, **options: Any) -> Checked:
        """Check a stream, or a model and its updates in order; fail the test unless all of them conform.

        Each is given as its bytes or as the path of its file. Options are those of `nnr_conformance.check`: `base`,
        `readings`, `limits`, `strict`, `out_of_band`, `edition`. Gives the report, and the tensors when they are asked
        for. Raises UsageError for arguments that make no sense.
        """
        __tracebackhide__ = True
        from nnr_conformance.suite.checked import checked

        found = checked([stream, *more], **options)
        if not found.is_conforming:
            pytest.fail(found.text, pytrace=False)
        return found


@pytest.fixture(scope="session")
def nnr_checked() -> NnrChecked:
    """A function that checks streams, bytes or paths, and fails the test unless they conform; gives the report."""
    return NnrChecked()
