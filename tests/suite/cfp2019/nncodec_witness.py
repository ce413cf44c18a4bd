"""Asks NNCodec what it makes of the streams of bitstreams/cfp2019, and writes the answers to their witnesses.yaml.

    python -m tests.suite.cfp2019.nncodec_witness [--check]

Needs NNCodec; see docs/interop.md.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from nnr_conformance.api import decode
from nnr_conformance.checker.check import check
from nnr_conformance.data import data_path
from nnr_conformance.suite.cfp2019.pipelines import GoldenStream, golden_streams
from nnr_conformance.suite.cfp2019.stored import FOLDER, chain_of

NNCODEC = "NNCodec 2.1.3"
HEAD = f"""\
# {NNCODEC} as a witness of the streams of this folder; written by `python -m tests.suite.cfp2019.nncodec_witness`.
# `agree`: streams that it decodes to the levels and transmitted tensors that the builder meant, bit for bit. `without`:
# the same once units of these types, which it cannot read, are taken out. `beyond`: why it cannot decode the others.
"""
UNREADABLE = ("NNR_TPL", "NNR_QNT")
STOPS = (NotImplementedError, KeyError, TypeError)
REASONS = {
    "p1-*": "its reader of raw payloads stops with a TypeError, and it has no pruning container",
    "p4-cnn-*": "it has no NNEF topology",
    "p4-recurrent-*": "it has no aggregate units",
    "p4-autoencoder-*": "it looks for a decomposition map in the layer parameter set and stops with a KeyError",
    "p7-*-02": "it wants node ids in every unit of the model that is updated, blocks included",
    "p9-cnn-*": "its reader of raw payloads stops with a TypeError",
}
"""Why streams are beyond NNCodec."""


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
    if not set(levels) & set(stream.levels):
        found.append("no levels that could be compared")
    for name in set(levels) & set(stream.levels):
        if not np.array_equal(levels[name].reshape(stream.levels[name].shape), stream.levels[name]):
            found.append(f"levels of {name}")
    for name in set(tensors) & set(transmitted):
        wanted = transmitted[name]
        if not np.array_equal(tensors[name].reshape(wanted.shape), wanted.astype(tensors[name].dtype)):
            found.append(f"values of {name}")
    return found


def answer(stream: GoldenStream) -> tuple[str, str]:
    """The part of witnesses.yaml to which a stream belongs, and what is said of it there.

    Raises AssertionError where NNCodec decodes something else, or stops for a reason that is not known.
    """
    types = {row.unit_type for row in check(stream.data).streams[0].units}
    removable = [unit for unit in UNREADABLE if unit in types]
    for without in ([], removable):
        try:
            found = differences(stream, without)
        except STOPS:
            continue
        assert not found, f"{stream.name}: NNCodec differs in {', '.join(found)}"
        return ("without", f"[{', '.join(without)}]") if without else ("agree", f"[{NNCODEC}]")
    reasons = [reason for pattern, reason in REASONS.items() if fnmatchcase(stream.name, pattern)]
    assert reasons, f"{stream.name}: NNCodec cannot decode it, and nobody knows why"
    return "beyond", reasons[0]


def text() -> str:
    """The file as it should be."""
    return "".join(_lines())


def _lines() -> Iterator[str]:
    answers = {stream.name: answer(stream) for stream in golden_streams()}
    yield HEAD
    for part in ("agree", "without", "beyond"):
        yield f"{part}:\n"
        yield from (f"  {name}: {said}\n" for name, (where, said) in answers.items() if where == part)


def path() -> Path:
    """Where it is stored."""
    return data_path(f"{FOLDER}/witnesses.yaml")


def main(arguments: Sequence[str]) -> int:
    """Write the file, or with --check compare it."""
    found = text()
    if "--check" in arguments:
        same = path().read_text(encoding="utf-8") == found
        print(f"{path().name} is {'what NNCodec says' if same else 'out of date'}")
        return int(not same)
    path().write_text(found, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
