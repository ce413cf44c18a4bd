"""The nine pipelines give the stored streams, which decode to what the builder meant and show the tools of the call."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from nnr_conformance.api import decode
from nnr_conformance.cli.suite import main
from nnr_conformance.data import data_path
from nnr_conformance.suite.cfp2019.evaluation import Evaluation, shown_tools
from nnr_conformance.suite.cfp2019.footprint import PROPOSALS, Tool, footprint, tools
from nnr_conformance.suite.cfp2019.networks import NETWORKS
from nnr_conformance.suite.cfp2019.pipelines import PIPELINES, GoldenStream, fraction_bits, golden_streams
from nnr_conformance.suite.cfp2019.plot import axis, plot
from nnr_conformance.suite.cfp2019.stored import (
    ERROR_DIGITS,
    FOLDER,
    INDEX,
    RIGHT_TOLERANCE,
    chain_of,
    evaluations,
    problems,
)

STREAMS = golden_streams()
MOST_BYTES, MOST_BYTES_IN_ALL = 60_000, 500_000
SMALLER = {"P1", "P3", "P5", "P8"}
named = pytest.mark.parametrize("stream", STREAMS, ids=[stream.name for stream in STREAMS])
evaluated = pytest.mark.parametrize("row", evaluations(), ids=[row.name for row in evaluations()])


def stored_rows() -> dict[str, dict[str, object]]:
    index = json.loads((data_path(FOLDER) / INDEX).read_text(encoding="utf-8"))
    return {row["stream"].removesuffix(".nnr"): row for row in index["streams"]}


@named
def test_a_pipeline_gives_the_stored_stream_byte_for_byte(stream: GoldenStream) -> None:
    assert (data_path(FOLDER) / f"{stream.name}.nnr").read_bytes() == stream.data


@named
def test_a_decoder_gives_the_tensors_that_the_pipeline_meant_bit_for_bit(stream: GoldenStream) -> None:
    found = decode(chain_of(stream))
    assert set(found.tensors) == set(stream.expected)
    for name, values in stream.expected.items():
        assert found.tensors[name].dtype == values.dtype
        assert np.array_equal(found.tensors[name], values), name
    for name, levels in stream.levels.items():
        assert np.array_equal(found.levels[name], levels), name


@named
def test_factors_are_decoded_as_the_pipeline_meant_them(stream: GoldenStream) -> None:
    found = decode(chain_of(stream), transmitted=True).tensors
    assert bool(stream.factors) is (stream.proposal in {"P5", "P8"})
    for name, values in stream.factors.items():
        assert np.array_equal(found[name], values.astype(np.float32)), name


@pytest.mark.parametrize("compiled", [False, True])
def test_interpreted_and_compiled_decoders_agree_on_a_stream_with_many_tools(compiled: bool) -> None:
    (stream,) = [one for one in STREAMS if one.name == "p4-cnn-01"]
    found = decode(stream.data, compiled=compiled)
    assert all(np.array_equal(found.tensors[name], values) for name, values in stream.expected.items())


@evaluated
def test_a_stream_is_conforming_and_says_nothing_that_a_reader_must_know(row: Evaluation) -> None:
    assert (row.verdict, row.diagnostics) == ("conforming", 0)


@evaluated
def test_a_decoded_network_is_as_good_as_is_stored(row: Evaluation) -> None:
    stored = stored_rows()[row.name]
    assert row.parameters == stored["parameters"]
    if row.right is None:
        assert row.after == pytest.approx(stored["squared error"], abs=2 * 10.0**-ERROR_DIGITS)
    else:
        assert abs(row.right - int(str(stored["right"]))) <= RIGHT_TOLERANCE


@evaluated
def test_a_decoded_network_still_does_what_it_was_trained_for(row: Evaluation) -> None:
    assert row.after >= row.before - 0.06 if row.right is not None else row.after < 0.03
    assert row.ratio > 3


@evaluated
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
    by_name = {stream.name: stream for stream in STREAMS}
    found = footprint([by_name["p9-cnn-01"].data])
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
    assert max(len(stream.data) for stream in STREAMS) <= MOST_BYTES
    assert sum(len(stream.data) for stream in STREAMS) < MOST_BYTES_IN_ALL


def test_stored_files_have_no_problems() -> None:
    assert list(problems()) == []


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
    assert len(json.loads(capsys.readouterr().out)["streams"]) == len(STREAMS)
