"""NNCodec makes of the golden streams what `bitstreams/nncodec.yaml` says."""

from __future__ import annotations

import random

import numpy as np
import pytest

pytest.importorskip("nncodec.nnc_core", reason="NNCodec is not installed, see the README")

from nnr_conformance.api import decode
from nnr_conformance.checker.check import check
from nnr_conformance.suite.corpus.golden import golden_streams, stored
from nnr_conformance.suite.corpus.sidecar import nncodec
from tests.interop.golden_rows import as_text
from tests.interop.golden_witnesses import changes, is_current, witnessed
from tests.interop.nncodec_units import models
from tests.interop.nncodec_ways import PARTS, Way
from tests.interop.nncodec_witness import differences

pytestmark = pytest.mark.interop

SAMPLE = 300
"""Streams, which take less than a minute; the command `--check` takes all of them."""


def test_the_rows_are_what_nncodec_does_today() -> None:
    rows = nncodec()
    streams = [one for one in golden_streams() if is_current(one, rows)]
    sample = random.Random(SAMPLE).sample(streams, min(SAMPLE, len(streams)))
    assert list(changes(rows, dict(witnessed(sample)))) == []


def test_each_result_is_in_the_sample_of_one_stream_each() -> None:
    rows = nncodec()
    first = {}
    for one in golden_streams():
        if is_current(one, rows):
            first.setdefault((rows[one.path]["result"], *rows[one.path].get("helped", ())), one)
    assert list(changes(rows, dict(witnessed([*first.values()])))) == []


def test_the_file_is_text_that_reads_back_as_its_rows() -> None:
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load(as_text(nncodec())) == dict(nncodec())


def test_a_difference_is_told_by_tensor_and_element() -> None:
    ours = [("a", np.array([1, 2], np.int32)), ("b", np.array([0.5], np.float32))]
    theirs = [("a", np.array([1, 3], np.int32)), ("b", np.array([0.5], np.float32))]
    assert differences(ours, theirs) == ["a[1] is 3, not 2"]
    assert differences(ours, ours[:1]) == ["missing ['b'], too much []"]


def test_signs_of_zero_differ_and_computed_nan_do_not() -> None:
    zero, negative = np.array([0.0], np.float32), np.array([-0.0], np.float32)
    one, other = np.array([0x7FC00000], np.uint32).view(np.float32), np.array([0xFFC00000], np.uint32).view(np.float32)
    assert differences([("w", zero)], [("w", negative)]) == ["w[0] is -0.0, not 0.0"]
    assert differences([("w", one)], [("w", other)]) == []
    assert len(differences([("w", one)], [("w", other)], {"w"})) == 1


def test_what_nncodec_gets_without_parts_and_aggregates_decodes_here_to_the_same_tensors() -> None:
    rows = nncodec()
    changed = 0
    for one in golden_streams():
        row = rows.get(one.path, {})
        taken = Way(tuple(row.get("without", ())), tuple(row.get("helped", ())))
        if one.before or row.get("result") != "agrees" or not (PARTS in taken.helped or taken.without == ("NNR_AGG",)):
            continue
        data = stored(one.path)
        whole = decode(data, transmitted=True, readings=one.readings)
        given = models(data, check(data, readings=one.readings).streams[0].units, taken)
        parts = [decode(model, transmitted=True, readings=one.readings).levels for model in given]
        levels = {name: array for part in parts for name, array in part.items()}
        assert levels.keys() == whole.levels.keys(), one.path
        assert all(np.array_equal(levels[name], whole.levels[name]) for name in levels), one.path
        changed += given != [data]
    assert changed > 0
