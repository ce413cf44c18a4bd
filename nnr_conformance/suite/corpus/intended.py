"""What the builder of a golden stream meant, as digests of the stages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from nnr_conformance.data import data_path
from nnr_conformance.suite.corpus.golden import PIPELINES, Golden
from nnr_conformance.suite.corpus.intent import NoIntent, intended, stream_of_pair
from nnr_conformance.suite.corpus.recipes import FOLDER, CorpusStream
from nnr_conformance.suite.requirement_pairs import Pair


def intended_digests(golden: Golden) -> Mapping[str, str]:
    """Digests by stage of what the recipe means, of those stages where that is known. Raises BuildError."""
    if golden.kind == PIPELINES:
        return _of_pipelines()[golden.path.rpartition("/")[2]]
    source = golden.source
    if isinstance(source, Pair):
        source = stream_of_pair(source, breaking=not golden.meets)
    assert isinstance(source, CorpusStream)
    try:
        return intended(source).digests
    except NoIntent:
        return {}


@cache
def _of_pipelines() -> Mapping[str, Mapping[str, str]]:
    """`nnr-suite cfp2019` writes what its pipelines mean into their index, and checks it whenever it builds them."""
    text = data_path(f"{FOLDER}/{PIPELINES}/index.json").read_text(encoding="utf-8")
    return {row["stream"]: row["intended"] for row in json.loads(text)["streams"]}
