"""Rules on peculiarities: decoders disagree about such streams, and none of them is nonconforming for that."""

from __future__ import annotations

import pytest

from nnr_conformance.checker.peculiarity_rules import RULES, is_one_string
from nnr_conformance.diagnostics import Severity, catalogue
from nnr_conformance.report.model import Verdict
from nnr_conformance.suite.pair_checks import check_pair_stream
from nnr_conformance.suite.requirement_pairs import Pair, load_pairs

CODES = {rule.code for rule in RULES.rules}


@pytest.mark.parametrize("pair", [pair for pair in load_pairs() if pair.code in CODES], ids=lambda pair: pair.name)
def test_a_peculiarity_leaves_the_verdict_alone(pair: Pair) -> None:
    assert catalogue()[pair.code].severity is not Severity.ERROR
    assert check_pair_stream(pair, pair.build(True).data).verdict is Verdict.CONFORMING


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"\0", True), (b"a\0", True), (b"", False), (b"a", False), (b"a\0b\0", False), (b"\xff\0", False), ("a", True)],
)
def test_one_string_is_utf_8_with_a_single_zero_at_its_end(data: bytes | str, expected: bool) -> None:
    assert is_one_string(data) is expected
