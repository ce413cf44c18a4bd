"""NNCodec as a witness: streams that it decodes give the levels and tensors that the builder meant."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import numpy as np
import pytest

from nnr_conformance.api import decode
from nnr_conformance.checker.check import check
from nnr_conformance.data import load_yaml
from nnr_conformance.suite.cfp2019.pipelines import GoldenStream, golden_streams
from nnr_conformance.suite.cfp2019.stored import FOLDER, chain_of

pytestmark = pytest.mark.interop
pytest.importorskip("nncodec")
WITNESSES = load_yaml(f"{FOLDER}/witnesses.yaml")
STREAMS = {stream.name: stream for stream in golden_streams()}


def differences(stream: GoldenStream, without: Sequence[str] = ()) -> list[str]:
    """What NNCodec decodes in another way, in words; raises whatever NNCodec raises. `without`: types of units."""
    from tests.interop import nncodec_codec  # noqa: PLC0415 - only where it is installed

    chain = chain_of(stream)
    updates = len(chain) > 1
    state = nncodec_codec.ChainState() if updates else None
    with contextlib.redirect_stdout(io.StringIO()):
        for data in chain:
            kept = [row for row in check(data).streams[0].units if row.unit_type not in without]
            readable = b"".join(data[row.first : row.first + row.size] for row in kept if "." not in row.label)
            levels, tensors = nncodec_codec.decode(readable, {}, state, None)
    found = []
    transmitted = decode(chain, transmitted=True).tensors
    if set(tensors) != set(transmitted):
        found.append(f"names {sorted(set(tensors) ^ set(transmitted))}")
    for name in set(levels) & set(stream.levels):
        if not np.array_equal(levels[name].reshape(stream.levels[name].shape), stream.levels[name]):
            found.append(f"levels of {name}")
    for name in set(tensors) & set(transmitted):
        wanted = transmitted[name]
        if not np.array_equal(tensors[name].reshape(wanted.shape), wanted.astype(tensors[name].dtype)):
            found.append(f"values of {name}")
    return found


@pytest.mark.parametrize("name", WITNESSES["agree"])
def test_nncodec_decodes_what_the_builder_meant(name: str) -> None:
    assert differences(STREAMS[name]) == []


@pytest.mark.parametrize("name", WITNESSES["without"])
def test_nncodec_decodes_the_rest_without_units_that_it_cannot_read(name: str) -> None:
    assert differences(STREAMS[name], WITNESSES["without"][name]) == []


@pytest.mark.parametrize("name", WITNESSES["beyond"])
def test_what_is_said_to_be_beyond_nncodec_is(name: str) -> None:
    with pytest.raises((NotImplementedError, KeyError, TypeError)):
        differences(STREAMS[name])


def test_every_stream_has_a_witness_or_a_reason_for_none() -> None:
    listed = [name for part in WITNESSES.values() for name in part]
    assert sorted(listed) == sorted(STREAMS)
