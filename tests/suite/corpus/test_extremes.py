"""Extreme streams are what their recipes claim, and go as far as they say."""

from __future__ import annotations

import numpy as np
import pytest

from nnr_conformance.checker.check import check
from nnr_conformance.suite.corpus.checks import chain_of, claim_problems
from nnr_conformance.suite.corpus.recipes import CorpusStream, corpus_streams

STREAMS = {stream.name: stream for stream in corpus_streams() if stream.kind == "extremes"}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=lambda stream: stream.name)
def test_an_extreme_stream_is_what_its_recipe_claims(stream: CorpusStream) -> None:
    assert list(claim_problems(stream)) == []


def test_the_prefix_streams_have_levels_of_every_length_and_both_ends_of_32_bits() -> None:
    (levels,) = [tensor.values for tensor in chain_of(STREAMS["10-prefix-lengths-01"])]
    lengths = {int(abs(int(level)) - 1).bit_length() - 1 for level in levels if abs(int(level)) > 1}
    assert lengths == set(range(31))
    assert (levels.min(), levels.max()) == (np.iinfo(np.int32).min, np.iinfo(np.int32).max)


def test_the_sizes_of_units_go_up_to_15_bits_and_beyond() -> None:
    report = check(STREAMS["6-units-of-15-bits-01"].build()).streams[0]
    assert [unit.size for unit in report.units[2:]] == [32767, 32770]


def test_the_counter_of_parts_begins_at_255() -> None:
    report = check(STREAMS["6-parts-up-to-255-01"].build()).streams[0]
    assert len(report.units) == 2 + 255
