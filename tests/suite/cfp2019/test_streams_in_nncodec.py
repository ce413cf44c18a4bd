"""NNCodec as a witness: streams that it decodes give the levels and tensors that the builder meant."""

from __future__ import annotations

import pytest

from nnr_conformance.data import load_yaml
from nnr_conformance.suite.cfp2019.pipelines import golden_streams
from nnr_conformance.suite.cfp2019.stored import FOLDER, stored_streams
from tests.suite.cfp2019.nncodec_witness import answer, path, text

NAMES = [stored.name for stored in stored_streams()]


@pytest.mark.interop
@pytest.mark.parametrize("name", NAMES)
def test_nncodec_says_of_a_stream_what_is_stored(name: str) -> None:
    pytest.importorskip("nncodec")
    (stream,) = [one for one in golden_streams() if one.name == name]
    part, said = answer(stream)
    assert f"\n  {stream.name}: {said}\n" in path().read_text(encoding="utf-8")
    assert stream.name in load_yaml(f"{FOLDER}/witnesses.yaml")[part]


@pytest.mark.interop
def test_the_stored_answers_are_those_that_the_command_writes() -> None:
    pytest.importorskip("nncodec")
    assert path().read_text(encoding="utf-8") == text()


def test_every_stream_has_an_answer_of_nncodec_or_a_reason_for_none() -> None:
    listed = [name for part in load_yaml(f"{FOLDER}/witnesses.yaml").values() for name in part]
    assert sorted(listed) == sorted(NAMES)
