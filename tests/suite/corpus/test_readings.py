"""Every choice of every reading is told apart from every other one by a golden stream."""

from __future__ import annotations

import itertools

import pytest

from nnr_conformance.readings import known_readings
from nnr_conformance.suite.corpus.checks import claim_problems
from nnr_conformance.suite.corpus.recipes import CorpusStream, corpus_streams
from nnr_conformance.suite.corpus.under_readings import UnderReading, streams_of_readings, told_apart, under_readings

STREAMS = [stream for stream in corpus_streams() if stream.kind == "readings"]
BY_READING = streams_of_readings(STREAMS)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_stream_of_readings_is_what_its_recipe_claims(stream: CorpusStream) -> None:
    assert list(claim_problems(stream)) == []


@pytest.mark.parametrize("reading", sorted(BY_READING))
def test_the_streams_of_a_reading_tell_all_of_its_choices_apart(reading: str) -> None:
    found = {stream.name: set(told_apart(under_readings(stream))) for stream in BY_READING[reading]}
    assert all(found.values()), [name for name, apart in found.items() if not apart]
    assert set().union(*found.values()) == set(itertools.combinations(known_readings()[reading]["readings"], 2))


def test_the_table_of_readings_names_the_streams() -> None:
    listed = {reading: row["streams"] for reading, row in known_readings().items()}
    assert listed == {reading: [stream.name for stream in streams] for reading, streams in BY_READING.items()}


def test_streams_without_a_reading_are_there_for_others_to_update() -> None:
    updated = {one for stream in STREAMS for one in stream.behind}
    assert {stream for stream in STREAMS if not stream.reading} <= updated


def test_a_stream_is_the_same_under_two_choices_only_if_nothing_differs() -> None:
    conforming = UnderReading("conforming", (), {"levels": "1"})
    found = {"a": conforming, "b": UnderReading("conforming", (), {"levels": "1"}), "c": conforming}
    assert list(told_apart(found)) == []
    found["c"] = UnderReading("conforming", (), {"levels": "2"})
    assert list(told_apart(found)) == [("a", "c"), ("b", "c")]
