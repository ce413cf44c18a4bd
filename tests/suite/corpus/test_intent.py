"""What the builder meant and what the decoder finds are the same, though they have nothing in common but the facts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import nnr_conformance.suite.corpus.intent as package
from nnr_conformance.api import chain_decoder
from nnr_conformance.entropy import compiled_available
from nnr_conformance.errors import BuildError
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.suite.corpus.intent import Intent, NoIntent, intended, stream_of_pair
from nnr_conformance.suite.corpus.recipes import CorpusStream, base_arrays, corpus_streams
from nnr_conformance.suite.requirement_pairs import load_pairs

STAGES = {"framing", "syntax", "levels", "dequantized", "tensors"}

NOT_KNOWN = (
    "the parent of .* is not there",  # the stream is undetermined
    "the parent has no tensor",  # the parent is known by its ids and has another name
    "does not fit its parent",
    "does not fit [0-9]+ bits",  # what is delivered instead is up to the decoder
    "is coded where .* are announced",  # dimensions that no payload of this size could have
    "G has no H",  # what is delivered of parts is up to the decoder
    "H has no G",
    "are not names of factors",  # what is composed has no name
    "another unit comes between G and H",
    "an index is not in the reference list",  # which was compressed
    "an independent part of a model has no known meaning",
    "nothing says where the tensor is cut",  # the stream is undetermined
    "format [0-9]+ is (not one for these numbers|reserved)",
)
"""Why a decoder may give something of a stream that is not nonconforming although nothing says what it should."""

STREAMS = [
    *(stream_of_pair(pair, breaking=False) for pair in load_pairs()),
    *(
        stream
        for stream in corpus_streams()
        # A decoder that stops at a limit of its own gives less than was meant.
        if stream.verdict != "nonconforming" and not any(code.startswith("limit_") for code in stream.diagnostics)
    ),
]


@cache
def meant_by(stream: CorpusStream) -> Intent:
    return intended(stream)


@cache
def bytes_of(stream: CorpusStream) -> bytes:
    return stream.build()


def decoded(stream: CorpusStream, *, compiled: bool) -> dict[str, str]:
    """Digests of the stages as the decoder has them."""
    check = stream.check
    chain = chain_decoder(
        [bytes_of(one) for one in stream.chain()],
        base=base_arrays(check),
        readings=stream.readings,
        limits=replace(DEFAULT_LIMITS, **check.get("limits", {})),
        out_of_band=check.get("out_of_band", {}),
        tensors=check.get("tensors"),
        compiled=compiled,
    )
    tensors = {tensor.name: tensor.values for tensor in chain}
    return chain.digests[-1].hexdigests(tensors)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_the_interpreted_decoder_gives_what_the_builder_meant(stream: CorpusStream) -> None:
    meant = meant_by(stream)
    assert set(meant.digests) | set(meant.reasons) == STAGES
    assert [reason for reason in meant.reasons.values() if not re.search("|".join(NOT_KNOWN), reason)] == []
    found = decoded(stream, compiled=False)
    assert meant.digests == {stage: found[stage] for stage in meant.digests}


needs_numba = pytest.mark.skipif(not compiled_available(), reason="numba is not installed")


@needs_numba
@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_the_compiled_decoder_gives_what_the_builder_meant(stream: CorpusStream) -> None:
    meant = meant_by(stream)
    found = decoded(stream, compiled=True)
    assert meant.digests == {stage: found[stage] for stage in meant.digests}


NONCONFORMING = [
    *(stream_of_pair(pair, breaking=True) for pair in load_pairs()),
    *(stream for stream in corpus_streams() if stream.verdict == "nonconforming"),
]


@pytest.mark.parametrize("stream", NONCONFORMING, ids=lambda stream: stream.name)
def test_a_nonconforming_stream_is_refused_or_has_an_intent(stream: CorpusStream) -> None:
    try:
        meant = intended(stream)
    except (NoIntent, BuildError):
        return
    assert set(meant.digests) | set(meant.reasons) == STAGES


def test_overridden_bytes_have_no_intent() -> None:
    stream = replace(STREAMS[0], after=[{"append": "00"}])
    with pytest.raises(NoIntent, match="changed after"):
        intended(stream)


def test_expected_tensors_of_a_recipe_are_what_is_meant() -> None:
    stream = replace(STREAMS[0], expected={"w": np.array([1.0], np.float32)})
    meant = intended(stream)
    assert list(meant.tensors) == ["w"]
    assert meant.digests["tensors"] != intended(STREAMS[0]).digests["tensors"]


def imported(path: Path) -> Iterator[str]:
    """What a module imports from this package, as ``module.name``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("path", sorted(Path(package.__file__).parent.glob("*.py")), ids=lambda path: path.name)
def test_the_intent_owes_nothing_to_the_decoder(path: Path) -> None:
    foreign = ("decoder", "entropy", "api", "checker", "report")
    shared = {"nnr_conformance.decoder.digests.add_array"}
    names = {name for name in imported(path) if name.startswith(tuple(f"nnr_conformance.{one}" for one in foreign))}
    assert names <= shared
