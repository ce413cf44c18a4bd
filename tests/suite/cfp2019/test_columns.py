"""What the columns of the call say of each proposal, looked for in decoded tensors rather than in flags.

Nothing here uses what the pipelines say that they meant: only stored bytes, decoded, and the trained networks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nnr_conformance.api import decode
from nnr_conformance.data import data_path, load_yaml
from nnr_conformance.entropy import compiled_available
from nnr_conformance.suite.cfp2019.evaluation import decoded_network, runnable_network
from nnr_conformance.suite.cfp2019.footprint import Footprint, footprint, tools
from nnr_conformance.suite.cfp2019.measures import accuracy
from nnr_conformance.suite.cfp2019.networks import NETWORKS, Network, trained
from nnr_conformance.suite.cfp2019.reductions import parameters
from nnr_conformance.suite.cfp2019.stored import stored_streams

PATHS = {stored.name: stored.path for stored in stored_streams()}
BEFORE = {stored.name: stored.before for stored in stored_streams()}
LISTED = {tool.id: tool.streams for tool in tools()}
ROWS = {
    row["stream"].removesuffix(".nnr"): row
    for row in json.loads(data_path("bitstreams/cfp2019/index.json").read_text(encoding="utf-8"))["streams"]
}
COMPILED = True if compiled_available() else None
"""Each stream alone is too small to choose compiled code by itself."""


def chain(name: str) -> list[bytes]:
    return [data_path(PATHS[one]).read_bytes() for one in (*BEFORE[name], name)]


@cache
def seen(name: str) -> Footprint:
    return footprint(chain(name))


@cache
def transmitted(name: str) -> Mapping[str, NDArray[Any]]:
    return decode(chain(name), transmitted=True, compiled=COMPILED).tensors


@cache
def decoded(name: str) -> Mapping[str, NDArray[Any]]:
    return decoded_network(chain(name))


def network(name: str) -> Network:
    return NETWORKS[name.split("-")[1]]


def of(*proposals: str, number: int = 1) -> Any:
    found = [name for name in PATHS if name.startswith(tuple(f"{one}-" for one in proposals))]
    return pytest.mark.parametrize("name", [name for name in found if name.endswith(f"-{number:02}")])


def value(name: str, element: str) -> float:
    """The only value of an element."""
    (found,) = seen(name).elements[element]
    return float(found)


def weights(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name: values for name, values in tensors.items() if values.ndim > 1}


def steps_of(values: NDArray[Any]) -> int:
    return len(np.unique(values))


@pytest.mark.parametrize("name", LISTED["pruning"])
def test_pruned_networks_have_smaller_tensors_by_the_ratio_that_the_map_gives(name: str) -> None:
    before, after = trained(network(name).name), transmitted(name)
    changed = [tensor for tensor in before if after[tensor].shape != before[tensor].shape]
    assert changed
    assert all(all(new <= old for new, old in zip(after[t].shape, before[t].shape, strict=True)) for t in changed)
    assert value(name, "pruning_ratio") == pytest.approx(1 - parameters(after) / parameters(before), abs=1e-6)
    if "dim" in seen(name).elements:
        assert {str(tensor) for tensor in seen(name).elements["element_id"]} == set(changed)


@pytest.mark.parametrize("name", LISTED["sparsification"])
def test_as_many_weights_are_zero_as_the_pipeline_and_the_map_say(name: str) -> None:
    (share,) = [int(found) for step in ROWS[name]["steps"] for found in re.findall(r"^(\d+) % of the weights", step)]
    tensors = weights(decoded(name))
    zeros = sum(int((values == 0).sum()) for values in tensors.values()) / parameters(tensors)
    assert zeros >= share / 100 - 0.0001
    ratios = seen(name).elements["non_zero_ratio"]
    assert any(abs(1 - ratio - share / 100) < 0.005 for ratio in ratios)


@pytest.mark.parametrize("name", LISTED["codebook"])
def test_streams_with_codebooks_have_weights_of_few_values(name: str) -> None:
    sizes = seen(name).elements["codebook_size"]
    few = [tensor for tensor, values in weights(transmitted(name)).items() if 2 < steps_of(values) <= max(sizes)]
    assert few
    assert any(transmitted(name)[tensor].size > 10 * max(sizes) for tensor in few)


@of("p6")
def test_sizes_of_adaptive_codebooks_differ_with_the_weights(name: str) -> None:
    assert "codebook" in seen(name).facts
    counts = {steps_of(values) for values in weights(transmitted(name)).values()}
    assert max(counts) <= 32
    assert len(set().union(*(seen(one).elements["codebook_size"] for one in PATHS if one.startswith("p6-")))) > 1


@pytest.mark.parametrize("name", LISTED["decomposition"])
def test_decomposed_weights_have_the_rank_of_their_factors_and_stay_near(name: str) -> None:
    before, composed, sent = trained(network(name).name), decoded(name), transmitted(name)
    decomposed = [tensor for tensor in before if f"{tensor}_G" in sent]
    assert decomposed
    ranks = set()
    for tensor in decomposed:
        rank = sent[f"{tensor}_G"].shape[1]
        ranks.add(rank)
        matrix = composed[tensor].reshape(len(composed[tensor]), -1)
        assert composed[tensor].shape == before[tensor].shape
        assert np.linalg.matrix_rank(matrix, tol=1e-4 * float(np.abs(matrix).max())) == rank
        assert np.square(composed[tensor] - before[tensor]).sum() < 0.08 * np.square(before[tensor]).sum()
    assert ranks == set(seen(name).elements["decomposition_rank"])
    usable = parameters(runnable_network(network(name), chain(name)))
    assert value(name, "nn_reduction_ratio") == pytest.approx(usable / parameters(before), abs=1e-6)


@pytest.mark.parametrize("name", LISTED["smaller-network"])
def test_the_smaller_network_runs_as_it_is_and_does_the_same(name: str) -> None:
    one = network(name)
    small = runnable_network(one, chain(name))
    assert parameters(small) < 0.9 * parameters(trained(one.name))
    assert accuracy(one, small) == pytest.approx(accuracy(one, decoded(name)), abs=0.0041)


@of("p9")
def test_fixed_point_networks_lose_no_parameter_and_need_no_floating_point(name: str) -> None:
    before, sent = trained(network(name).name), transmitted(name)
    assert {tensor: values.shape for tensor, values in sent.items()} == {t: v.shape for t, v in before.items()}
    for tensor, values in sent.items():
        if values.dtype == np.int32:
            assert np.abs(values).max() < 1 << (7 if values.ndim > 1 else 15), tensor
        else:
            places = 15 - int(np.floor(np.log2(np.abs(values).max()))) + 1
            assert np.array_equal(values * 2.0**places, np.round(values * 2.0**places)), tensor
            assert "raw float" in seen(name).facts
    assert {"codebook", "dependent quantization", "decomposition"}.isdisjoint(seen(name).facts)


@of("p3")
def test_a_step_size_that_is_independent_of_data_is_the_same_for_all_weights(name: str) -> None:
    qps = {tensor.qp for tensor in seen(name).report.tensors if len(tensor.shape) > 1}
    assert qps == {int(value(name, "mps_quantization_parameter"))}


def test_step_sizes_that_data_chose_differ_within_a_network_or_between_networks() -> None:
    for proposal in ("p4", "p7"):
        qps = {
            tensor.qp
            for name in PATHS
            if name.startswith(proposal) and name.endswith("-01")
            for tensor in seen(name).report.tensors
            if len(tensor.shape) > 1
        }
        assert len(qps) > 2, proposal


MOST_BY_QUANTIZATION = {"P5": 2.0**-13, "P9": 2.0**-12}
"""Of the last bias, half a step; of the others 2^-9."""


@pytest.mark.parametrize("name", [name for name in PATHS if not name.startswith("p7") or name.endswith("02")])
def test_the_last_layer_was_tuned_where_the_proposal_has_fine_tuning(name: str) -> None:
    one = network(name)
    bias = one.last.bias
    change = float(np.abs(decoded(name)[bias] - trained(one.name)[bias]).max())
    (marks,) = [row["proposals"] for row in load_yaml("spec/tools.yaml") if row["id"] == "fine-tuning"]
    proposal = ROWS[name]["proposal"]
    assert (change > MOST_BY_QUANTIZATION.get(proposal, 2.0**-9)) is (proposal in marks)


@of("p7", number=2)
def test_an_update_changes_the_last_layer_and_nothing_else(name: str) -> None:
    before, after = decoded(BEFORE[name][0]), decoded(name)
    changed = {tensor for tensor in after if not np.array_equal(after[tensor], before[tensor])}
    assert changed == {network(name).last.weight, network(name).last.bias}
    weight = network(name).last.weight
    # The search through the trellis gives up a zero where that is cheaper for its neighbours.
    assert (after[weight][before[weight] == 0] == 0).mean() > 0.95


@of("p7")
def test_local_scaling_is_not_one_for_all_rows(name: str) -> None:
    vectors = [values for tensor, values in transmitted(name).items() if tensor.endswith("_scaling")]
    assert vectors
    assert all(steps_of(values) > 1 for values in vectors)


@pytest.mark.parametrize("name", LISTED["layer-representation"])
def test_every_layer_has_a_parameter_set_of_its_own(name: str) -> None:
    sets = [row for row in seen(name).report.units if row.unit_type == "NNR_LPS"]
    assert len(sets) == len(network(name).layers)


@pytest.mark.parametrize("name", LISTED["layer-partitioning"])
def test_a_layer_in_parts_is_in_several_units_and_scans_have_entry_points(name: str) -> None:
    places = [tensor for row in seen(name).report.units for tensor in row.names if "." not in row.label]
    assert "entry points" in seen(name).facts
    assert "partial data" not in seen(name).facts or len(places) > len(set(places))


@pytest.mark.parametrize("name", sorted({*LISTED["entropy-coding"], *LISTED["decompression"]}))
def test_streams_with_entropy_coding_hold_levels(name: str) -> None:
    assert decode(chain(name), transmitted=True, compiled=COMPILED).levels
