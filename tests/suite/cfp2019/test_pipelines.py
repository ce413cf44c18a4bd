"""The nine pipelines give the stored streams, which decode to what the builder meant and show the tools of the call."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from nnr_conformance.api import decode
from nnr_conformance.cli.suite import main
from nnr_conformance.data import data_path
from nnr_conformance.entropy import compiled_available
from nnr_conformance.suite.cfp2019.evaluation import Evaluation, gives_what_was_meant, shown_tools
from nnr_conformance.suite.cfp2019.footprint import PROPOSALS, Tool, footprint, tools
from nnr_conformance.suite.cfp2019.networks import NETWORKS
from nnr_conformance.suite.cfp2019.pipelines import PIPELINES, GoldenStream, fraction_bits, golden_streams
from nnr_conformance.suite.cfp2019.plot import axis, plot
from nnr_conformance.suite.cfp2019.stored import (
    FOLDER,
    INDEX,
    WITNESSES,
    chain_of,
    evaluations,
    problems,
    stored_streams,
)
from nnr_conformance.suite.coverage.samples import samples, stream_files
from nnr_conformance.suite.mutation.cases import stored_cases

NAMES = [stored.name for stored in stored_streams()]
"""Of the index: nothing is built while tests are only collected."""
MOST_BYTES, MOST_BYTES_IN_ALL = 60_000, 500_000
SMALLER = {"P1", "P3", "P5", "P8"}


@pytest.fixture(params=NAMES)
def stream(request: pytest.FixtureRequest) -> GoldenStream:
    return built(request.param)


@pytest.fixture(params=NAMES)
def row(request: pytest.FixtureRequest) -> Evaluation:
    return next(one for one in evaluations() if one.name == request.param)


def built(name: str) -> GoldenStream:
    return next(stream for stream in golden_streams() if stream.name == name)


def stored_rows() -> dict[str, dict[str, object]]:
    index = json.loads((data_path(FOLDER) / INDEX).read_text(encoding="utf-8"))
    return {row["stream"].removesuffix(".nnr"): row for row in index["streams"]}


def test_a_pipeline_gives_the_stored_stream_byte_for_byte(stream: GoldenStream) -> None:
    assert (data_path(FOLDER) / f"{stream.name}.nnr").read_bytes() == stream.data


def test_a_decoder_gives_the_tensors_that_the_pipeline_meant_bit_for_bit(stream: GoldenStream) -> None:
    found = decode(chain_of(stream))
    assert set(found.tensors) == set(stream.expected)
    for name, values in stream.expected.items():
        assert found.tensors[name].dtype == values.dtype
        assert np.array_equal(found.tensors[name], values), name
    for name, levels in stream.levels.items():
        assert np.array_equal(found.levels[name], levels), name


def test_factors_are_decoded_as_the_pipeline_meant_them(stream: GoldenStream) -> None:
    found = decode(chain_of(stream), transmitted=True).tensors
    assert bool(stream.factors) is (stream.proposal in {"P5", "P8"})
    for name, values in stream.factors.items():
        assert np.array_equal(found[name], values), name


def test_interpreted_and_compiled_decoders_agree_with_the_builder(row: Evaluation) -> None:
    assert row.witnesses == (tuple(WITNESSES) if compiled_available() else ("builder", "pure decoder"))


@pytest.mark.parametrize("part", ["expected", "levels"])
def test_a_decoder_that_gives_something_else_is_no_witness(part: str) -> None:
    stream = built("p1-cnn-01")
    name, values = next(iter(getattr(stream, part).items()))
    other = values.copy()
    other.flat[0] += 1
    changed = replace(stream, **{part: {**getattr(stream, part), name: other}})
    assert gives_what_was_meant(stream, chain_of(stream), False)
    assert not gives_what_was_meant(changed, chain_of(stream), False)


def test_a_stream_is_conforming_and_says_nothing_that_a_reader_must_know(row: Evaluation) -> None:
    assert (row.verdict, row.diagnostics) == ("conforming", 0)


def test_a_decoded_network_is_as_good_as_is_stored(row: Evaluation) -> None:
    stored = stored_rows()[row.name]
    assert row.parameters == stored["parameters"]
    assert (round(row.before, 6), round(row.after, 6)) == (stored["before"], stored["after"])


def test_a_decoded_network_still_does_what_it_was_trained_for(row: Evaluation) -> None:
    assert row.after >= row.before - 0.06 if row.right is not None else row.after < 0.03
    assert row.ratio > 3


def test_one_layer_is_decoded_from_fewer_bytes_than_the_whole(row: Evaluation) -> None:
    if row.partial is None:
        assert row.name.endswith("-02"), "only updates need what came before"
        return
    assert row.partial.agrees
    assert row.partial.read < row.size


@pytest.mark.parametrize("proposal", sorted(SMALLER))
def test_a_network_that_is_said_to_become_smaller_does(proposal: str) -> None:
    found = [row for row in evaluations() if row.proposal == proposal]
    assert len(found) == len(NETWORKS)
    assert all(row.parameters < 0.9 * row.parameters_before for row in found)


def test_every_proposal_has_a_stream_for_every_network() -> None:
    assert tuple(PIPELINES) == PROPOSALS
    assert {(row.proposal, row.network) for row in evaluations()} == {
        (proposal, network) for proposal in PROPOSALS for network in NETWORKS
    }


@pytest.mark.parametrize("tool", tools(), ids=lambda tool: tool.id)
def test_streams_that_show_a_tool_are_those_of_the_table(tool: Tool) -> None:
    found = sorted(row.name for row in evaluations() if tool.id in row.shown)
    assert found, "every row is shown"
    assert sorted(tool.streams) == found


@pytest.mark.parametrize("proposal", PROPOSALS)
def test_every_tool_with_a_direct_trace_is_shown_by_each_proposal_that_has_it(proposal: str) -> None:
    shown = {tool for row in evaluations() if row.proposal == proposal for tool in row.shown}
    assert {tool.id for tool in tools() if proposal in tool.marks and tool.trace == "direct"} <= shown
    assert shown, "every column is shown"


def test_a_stream_of_another_proposal_lacks_tools_that_leave_a_trace() -> None:
    found = footprint([built("p9-cnn-01").data])
    missing = {tool.id for tool in tools() if tool.trace == "direct" and not found.shows(tool)}
    assert {
        "pruning",
        "sparsification",
        "codebook",
        "decomposition",
        "layer-partitioning",
        "smaller-network",
    } <= missing
    assert "pruning" not in shown_tools("P1", found)


def test_all_streams_together_are_small() -> None:
    assert max(len(stream.data) for stream in golden_streams()) <= MOST_BYTES
    assert sum(len(stream.data) for stream in golden_streams()) < MOST_BYTES_IN_ALL


def test_stored_files_have_no_problems() -> None:
    assert list(problems(data_path(FOLDER))) == []


def test_stored_streams_come_with_what_they_update_and_what_is_expected_of_them() -> None:
    found = {stored.name: stored for stored in stored_streams()}
    assert list(found) == [stream.name for stream in golden_streams()]
    for stream in golden_streams():
        assert found[stream.name].before == stream.before
        assert data_path(found[stream.name].path).read_bytes() == stream.data
    assert found["p7-cnn-02"].before == ("p7-cnn-01",)
    assert found["p7-cnn-02"].expected().keys() == found["p7-cnn-01"].expected().keys()


def test_updates_are_measured_and_mutated_behind_what_they_update() -> None:
    chains = {case.name: case.streams for case in stored_cases() if case.name.startswith("cfp2019/")}
    measured = {sample.name: sample.data for sample in samples(stream_files([data_path(FOLDER)]))}
    for stream in golden_streams():
        chain = tuple(chain_of(stream))
        assert chains[f"cfp2019/{stream.name}.nnr"] == chain
        assert measured[f"{stream.name}.nnr"] == chain


def test_what_differs_from_the_stored_files_is_named_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "streams"
    shutil.copytree(data_path(FOLDER), folder)
    damaged = folder / "p1-cnn-01.nnr"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    (folder / "p2-cnn-01.nnr").unlink()
    (folder / "p9-other-01.nnr").write_bytes(b"")
    index = folder / INDEX
    index.write_text(index.read_text().replace('"parameters": 7465', '"parameters": 7466', 1))
    assert main(["cfp2019", "--check", "--folder", str(folder)]) == 1
    printed = capsys.readouterr().out
    assert "p1-cnn-01.nnr: differs from what the pipeline gives" in printed
    assert "p2-cnn-01.nnr: is missing" in printed
    assert "p9-other-01.nnr: no pipeline gives it" in printed
    assert "p1-cnn-01: parameters is 7466, now 7465" in printed
    assert "4 problems" in printed
    assert main(["cfp2019", "--write", "--folder", str(folder)]) == 0
    assert list(problems(folder)) == []


def test_files_that_cannot_be_written_are_wrong_use(tmp_path: Path) -> None:
    assert main(["cfp2019", "--plot", str(tmp_path / "none" / "plot.svg")]) == 2
    assert main(["cfp2019", "--folder", str(tmp_path / "none")]) == 2


def test_the_streams_do_not_depend_on_the_kernels_of_the_linear_algebra_library() -> None:
    """A decomposition, least squares and a search through a trellis, with the kernels of the oldest processor."""
    code = (
        "import hashlib\n"
        "from nnr_conformance.suite.cfp2019.networks import NETWORKS\n"
        "from nnr_conformance.suite.cfp2019.pipelines import PIPELINES\n"
        "for proposal in ('P5', 'P7'):\n"
        "    for stream in PIPELINES[proposal](NETWORKS['autoencoder']):\n"
        "        print(stream.name, hashlib.sha256(stream.data).hexdigest())"
    )
    kernels = {"OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **kernels},
        capture_output=True,
        text=True,
        check=True,
    )
    for line in found.stdout.splitlines():
        name, digest = line.split()
        assert digest == stored_rows()[name]["sha256"], name
    assert len(found.stdout.splitlines()) == 3


def test_fixed_point_numbers_take_all_their_bits_and_no_more() -> None:
    for largest in (0.3, 0.5, 0.996, 0.999, 1.0, 3.7):
        places = fraction_bits(np.array([largest, -0.1]), 8)
        assert np.round(largest * 2.0**places) <= 127
        assert np.round(largest * 2.0 ** (places + 1)) > 127


def test_the_plot_has_a_labelled_mark_for_every_stream() -> None:
    root = ElementTree.fromstring(plot(evaluations()))
    space = {"svg": "http://www.w3.org/2000/svg"}
    titles = {found.text.split(":")[0] for found in root.findall(".//svg:circle/svg:title", space) if found.text}
    assert titles == {row.name for row in evaluations()}
    assert "prefers-color-scheme: dark" in "".join(found.text or "" for found in root.findall("svg:style", space))


@pytest.mark.parametrize(("low", "high"), [(0, 12.4), (0.93, 0.99), (0.007, 0.0183), (5, 5)])
def test_a_scale_holds_its_values_between_round_lines(low: float, high: float) -> None:
    found = axis(low, high, 100, 300)
    assert found.low <= low <= high <= found.high
    assert found.place(found.low) == 100
    assert found.place(found.high) == 300
    assert 2 <= len(found.ticks) <= 8


def test_the_command_prints_the_table_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cfp2019", "--check"]) == 0
    printed = capsys.readouterr().out
    assert "P7+  cnn" in printed
    assert "is what the pipelines give" in printed
    assert main(["cfp2019", "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["streams"]) == len(NAMES)
