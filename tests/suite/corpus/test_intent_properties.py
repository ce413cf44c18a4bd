"""Whatever a recipe holds, the builder's meaning and the decoder's result are the same."""

from __future__ import annotations

import re

from hypothesis import given, settings

from nnr_conformance.suite.corpus.checks import chain_of
from nnr_conformance.suite.corpus.intent import intended
from nnr_conformance.suite.corpus.recipes import CorpusStream
from tests.suite.corpus.chain_strategies import chains
from tests.suite.corpus.recipe_strategies import models, models_under_readings

NOT_DEFINED = re.compile("the order of summation matters|factors are not finite|an updated integer does not fit")


def disagreements(stream: CorpusStream) -> dict[str, object]:
    """Stages in which decoder and intent differ, and those that the intent refuses for no known reason."""
    meant = intended(stream)
    chain = chain_of(stream, compiled=False)
    tensors = {tensor.name: tensor.values for tensor in chain}
    found = chain.digests[-1].hexdigests(tensors)
    wrong: dict[str, object] = {stage: why for stage, why in meant.reasons.items() if not NOT_DEFINED.search(why)}
    for stage, digest in meant.digests.items():
        if digest != found[stage]:
            wrong[stage] = meant.tensors, tensors
    return wrong


@settings(max_examples=120, deadline=None)
@given(models())
def test_the_decoder_gives_what_the_builder_meant_of_any_model(stream: CorpusStream) -> None:
    assert disagreements(stream) == {}


@settings(max_examples=80, deadline=None)
@given(chains())
def test_the_decoder_gives_what_the_builder_meant_of_any_chain(stream: CorpusStream) -> None:
    assert disagreements(stream) == {}


@settings(max_examples=80, deadline=None)
@given(models_under_readings())
def test_the_decoder_gives_what_the_builder_meant_under_any_readings(stream: CorpusStream) -> None:
    assert disagreements(stream) == {}
