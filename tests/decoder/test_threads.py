"""Decoding in threads: tensors, findings and their order are those of decoding one unit after the other."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnr_conformance.api import ChainDecoder, chain_decoder, decode
from nnr_conformance.cli.decode import main
from nnr_conformance.decoder import threads
from nnr_conformance.entropy import payload
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.expected import chain_of, told
from nnr_conformance.tensor_files import read_tensors

NNCODEC = Path(__file__).parents[2] / "bitstreams" / "interop" / "nncodec"
CHAIN = [NNCODEC / f"s11_pnet_diff_tca_hdsp.s{step}.nnc" for step in range(4)]
CASES = golden_cases()


def everything(chain: ChainDecoder) -> dict[str, Any]:
    """All that decoding tells, in the order in which it tells it."""
    told_of: list[Any] = []
    chain.on_decoded = lambda number, unit: told_of.append((number, unit.label, [one.name for one in unit.tensors]))
    tensors = [(one.name, one.values.tobytes(), one.values.shape, one.label) for one in chain]
    return {
        "tensors": tensors,
        "units": told_of,
        "findings": [list(findings) for findings in chain.findings],
        "undecoded": [decoder.undecoded for decoder in chain.decoders],
        "tools": [decoder.tools for decoder in chain.decoders],
        "digests": [digests.hexdigests() for digests in chain.digests],
    }


@pytest.mark.parametrize("part", range(8))
def test_the_golden_streams_come_to_the_same(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "SMALL", -1)
    monkeypatch.setattr(threads, "GROUP", (0, 100, 30_000)[part % 3])
    monkeypatch.setattr(payload, "ELEMENTS_FOR_THREADS", 0)
    for case in CASES[part::8]:
        alone = everything(replace(chain_of(case, told(case)), compiled=False))
        for count in (1, 3):
            assert everything(replace(chain_of(case, told(case)), compiled=True, threads=count)) == alone, case.id


@pytest.mark.parametrize("ahead", [(1, 4_000_000), (256, 1), (2, 10)])
def test_how_much_is_begun_ahead_changes_nothing(ahead: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [path.read_bytes() for path in CHAIN]
    alone = everything(chain_decoder(streams, compiled=False))
    monkeypatch.setattr(threads, "GROUP", 100)
    monkeypatch.setattr(threads, "MOST", ahead[0])
    monkeypatch.setattr(threads, "AHEAD", ahead[1])
    for count in (2, 5):
        assert everything(chain_decoder(streams, compiled=True, threads=count)) == alone


def test_payloads_are_decoded_in_threads_and_small_ones_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []
    plain = threads.attempt_all

    def watched(attempts: list[Any]) -> Any:
        seen.append(
            (threading.current_thread().name.partition("_")[0], sum(one.job.codings[0].elements for one in attempts))
        )
        return plain(attempts)

    monkeypatch.setattr(threads, "attempt_all", watched)
    monkeypatch.setattr(threads, "GROUP", 1_000)
    data = (NNCODEC / "s01_pnet_default.nnc").read_bytes()
    several = decode(data, compiled=True, threads=2)
    assert {name for name, _ in seen} == {"nnr-decoder"}
    assert 1 < len(seen) < len(several.levels)
    assert all(elements >= 1_000 for _, elements in seen[:-1])
    seen.clear()
    decode(data, compiled=True, threads=1)
    assert {name for name, _ in seen} == {"MainThread"}


@pytest.mark.parametrize("count", [1, 2])
def test_like_payloads_share_a_loop(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (NNCODEC / "s01_pnet_default.nnc").read_bytes()
    alone = everything(chain_decoder(data, compiled=True, threads=1))
    shared: list[int] = []
    plain = threads.attempt_pair

    def watched(first: Any, second: Any) -> Any:
        shared.append(second.job.codings[0].elements)
        return plain(first, second)

    monkeypatch.setattr(threads, "attempt_pair", watched)
    monkeypatch.setattr(threads, "GROUP", 0)
    monkeypatch.setattr(threads, "likeness", lambda attempt: attempt.job.codings[0].dq)
    assert everything(chain_decoder(data, compiled=True, threads=count)) == alone
    assert len(shared) == len(alone["units"]) // 2


def test_whoever_stops_iterating_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "GROUP", 0)
    before = threading.active_count()
    tensors = iter(chain_decoder((NNCODEC / "s01_pnet_default.nnc").read_bytes(), compiled=True, threads=2))
    next(tensors)
    assert threading.active_count() > before
    tensors.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_what_goes_wrong_in_a_thread_reaches_whoever_iterates(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_memory(attempts: list[Any]) -> Any:
        raise MemoryError

    monkeypatch.setattr(threads, "attempt_all", without_memory)
    for count in (1, 2):
        with pytest.raises(MemoryError):
            decode((NNCODEC / "s01_pnet_default.nnc").read_bytes(), compiled=True, threads=count)


def test_interpreted_decoding_has_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "ahead", None)
    data = (NNCODEC / "s01_pnet_default.nnc").read_bytes()
    assert len(decode(data, compiled=False, threads=4).tensors) == len(decode(data, compiled=False, threads=1).tensors)


def test_no_threads_at_all_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="0 threads"):
        decode(b"", threads=0)
    assert main([str(CHAIN[0]), "--threads", "0", "-o", str(tmp_path / "out.npz")]) == 2


def test_nnr_decode_writes_the_same_file_with_any_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "GROUP", 100)
    files = [tmp_path / f"{count}.npz" for count in (1, 3)]
    for count, file in zip((1, 3), files, strict=True):
        assert main([*map(str, CHAIN), "--threads", str(count), "-o", str(file)]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    with read_tensors(files[0]) as tensors:
        assert all(np.isfinite(tensors[name]).all() for name in tensors)
