"""Streams of other encoders conform; what is remarked on them is a note, or a divergence that is listed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nnr_conformance
from nnr_conformance.data import data_path
from nnr_conformance.diagnostics import Severity
from nnr_conformance.report.model import Report, Verdict
from nnr_conformance.suite.registry import load_divergences

EXAMPLES = data_path("bitstreams/examples")
NNCODEC = data_path("bitstreams/interop/nncodec")
STREAMS = [*sorted(EXAMPLES.glob("*.nnr")), *sorted(NNCODEC.glob("*.nnc"))]


def chain_of(path: Path) -> list[Path]:
    """A stream behind those that it updates."""
    before = {"ex4b": [EXAMPLES / "ex4a_ed2_update1.nnr"]}.get(path.name[:4], [])
    if path.name.startswith("s11"):
        before = [NNCODEC / f"s11_pnet_diff_tca_hdsp.s{step}.nnc" for step in range(int(path.stem[-1]))]
    return [*before, path]


def checked(path: Path) -> Report:
    # The model that the updates of example 4 belong to is not a stream.
    base = {"w": np.zeros((4, 3), np.float32), "b": np.zeros(4, np.float32)} if path.name.startswith("ex4") else None
    return nnr_conformance.check([one.read_bytes() for one in chain_of(path)], base=base)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_a_stream_of_another_encoder_conforms(path: Path) -> None:
    assert checked(path).verdict is Verdict.CONFORMING


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_what_is_warned_about_is_a_listed_divergence_and_shown_as_such(path: Path) -> None:
    known = set(load_divergences())
    for found in checked(path).diagnostics:
        # The factors of the decomposed example are larger than its weight, which only says that it is an example.
        if found.severity is not Severity.INFO and found.code != "decomposition_no_reduction":
            assert found.divergences, found
            assert set(found.divergences) <= known


def test_a_codebook_that_nncodec_does_not_announce_is_shown_as_its_divergence() -> None:
    (found,) = [one for one in checked(NNCODEC / "s04_pnet_codebook.nnc").diagnostics if one.divergences][:1]
    assert (found.code, found.divergences) == ("codebook_not_announced", ("D-63",))
