"""One test for each case, of the decoder that the options of pytest name; see `nnr_conformance.pytest_plugin`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nnr_conformance.pytest_plugin import DECODER_TESTS, IMPLEMENTATIONS
from nnr_conformance.suite.decoder_tests import DecoderTests
from nnr_conformance.suite.runner.model import Case


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The cases become tests."""
    if DECODER_TESTS not in metafunc.config.stash:
        raise pytest.Collector.CollectError(f"say which decoder is tested: {', '.join(IMPLEMENTATIONS)}")
    metafunc.parametrize("nnr_case", metafunc.config.stash[DECODER_TESTS].parameters())


@pytest.fixture(scope="session")
def nnr_decoder(pytestconfig: pytest.Config) -> DecoderTests:
    """The decoder that is tested."""
    return pytestconfig.stash[DECODER_TESTS]


def test_decoder(nnr_decoder: DecoderTests, nnr_case: Case, record_property: Callable[[str, object], None]) -> None:
    """The decoder does with the stream what the standard asks for."""
    result = nnr_decoder.result(nnr_case)
    record_property("result", result.result.value)
    if result.stage:
        record_property("stage", result.stage)
    nnr_decoder.settle(result)
