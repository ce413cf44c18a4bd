"""Deleting rules: one that no stream misses survives, and a verdict that turns is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nnr_conformance.diagnostics import Rule, catalogue
from nnr_conformance.suite.pair_checks import check_pair_stream
from nnr_conformance.suite.requirement_pairs import Pair, load_pairs
from nnr_conformance.suite.rule_mutation import RuleDeletion, delete_rules, outcome


def deletions(monkeypatch: pytest.MonkeyPatch, pairs: tuple[Pair, ...], *codes: str) -> list[RuleDeletion]:
    """What deleting these rules changes where there are these pairs alone."""
    chosen: dict[str, Rule] = {code: catalogue()[code] for code in codes}
    monkeypatch.setattr("nnr_conformance.suite.rule_mutation.load_pairs", lambda: pairs)
    monkeypatch.setattr("nnr_conformance.suite.rule_mutation.catalogue", lambda: chosen)
    return list(delete_rules())


def the_pair(name: str) -> Pair:
    return next(pair for pair in load_pairs() if pair.name == name)


def test_a_rule_without_a_pair_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = (the_pair("reserved-not-zero"),)
    lonely, shown = deletions(monkeypatch, pairs, "unit_underrun", "reserved_not_zero")
    assert (lonely.code, lonely.survives, lonely.noticed, lonely.turned) == ("unit_underrun", True, (), ())
    assert (shown.code, shown.survives) == ("reserved_not_zero", False)


def test_an_error_turns_the_verdict_and_a_warning_is_noticed_without(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = (the_pair("element-repeated"), the_pair("reserved-not-zero"))
    assert catalogue()["reserved_not_zero"].severity.value == "warning"
    warning, error = deletions(monkeypatch, pairs, "reserved_not_zero", "block_id_count")
    assert (warning.noticed, warning.turned) == (("6-reserved-not-zero-02.nnr",), ())
    assert error.survives
    (error,) = deletions(monkeypatch, (the_pair("block-id-count"),), "block_id_count")
    assert error.noticed == error.turned == ("6-block-id-count-02.nnr",)


def test_a_rule_that_fires_in_both_streams_is_noticed_in_both(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = the_pair("first-tensor-dimension-shift-range")
    (found,) = deletions(monkeypatch, (pair,), "dimension_shift_set")
    assert found.noticed == (pair.stream_name(False), pair.stream_name(True))


def test_a_stream_that_fires_nothing_notices_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = the_pair("reserved-not-zero")
    (found,) = deletions(monkeypatch, (replace(pair, breaks={}),), "reserved_not_zero")
    assert found.survives


def test_a_disabled_rule_leaves_no_finding_and_all_others() -> None:
    pair = the_pair("dimension-zero")
    data = pair.build(True).data
    before, after = (check_pair_stream(pair, data, disabled) for disabled in (frozenset(), frozenset({pair.code})))
    codes = [{found.code for found in report.diagnostics} for report in (before, after)]
    assert codes[0] - codes[1] == {"dimension_zero"}
    assert outcome(before) != outcome(after)


def test_an_outcome_is_the_verdict_with_the_places_of_the_findings() -> None:
    pair = the_pair("reserved-not-zero")
    verdict, ((code, path, bits),) = outcome(check_pair_stream(pair, pair.build(True).data))
    assert verdict == "conforming"
    assert code == pair.code
    assert path.endswith(" · nnr_reserved_zero_2bits")
    assert bits == str(pair_place(pair))


def pair_place(pair: Pair) -> tuple[int, int]:
    (entry,) = pair.build(True).intent.places(pair.at)
    return entry.first, entry.first + entry.size
