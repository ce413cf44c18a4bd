"""Names of stored streams."""

from __future__ import annotations

import pytest

from nnr_conformance.data import data_path
from nnr_conformance.diagnostics import catalogue
from nnr_sphinx.stored_streams import pairs_of_codes, smallest, stored_streams, stream_name


@pytest.mark.parametrize(
    "text", ["10-entry-points-01", "core/10-entry-points-01", "bitstreams/core/10-entry-points-01.nnr"]
)
def test_a_stream_is_found_by_path_and_by_its_last_part(text: str) -> None:
    assert stream_name(text) == "core/10-entry-points-01"


def test_a_last_part_that_two_streams_have_names_none() -> None:
    assert "requirements/8/8-decomposition-01" not in stored_streams()
    assert stream_name("8-decomposition-01") == "8-decomposition-01"


def test_every_name_is_a_file_of_that_size() -> None:
    for stream in stored_streams().values():
        assert data_path(f"bitstreams/{stream.path}").stat().st_size == stream.size


def test_conforming_streams_are_preferred_to_smaller_ones() -> None:
    known = stored_streams()
    by_size = sorted(known, key=lambda name: known[name].size)
    broken = next(name for name in by_size if not known[name].conforming)
    larger = next(name for name in reversed(by_size) if known[name].conforming)
    assert smallest([broken, larger]) == [larger]


def test_every_condition_that_a_stream_can_show_has_its_pair() -> None:
    assert set(pairs_of_codes()) == {code for code, rule in catalogue().items() if not rule.no_stream}
