"""The budget of a reduction holds whatever the reduction does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from nnr_conformance.api import chain_decoder
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.suite.shrink.agreed import Agreed
from nnr_conformance.suite.shrink.names import names_of, replace_names
from nnr_conformance.suite.shrink.search import Budget, Exhausted, Search
from nnr_conformance.suite.shrink.shrinker import shrink


def named(*names: str) -> bytes:
    """A tensor of each name."""
    units = [{"NNR_NDU": {"topology_elem_id": name, "tensors": [{"levels": [1]}]}} for name in names]
    return build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}, *units]).data


def test_when_the_seconds_are_spent_no_candidate_is_written_any_more() -> None:
    search = Search((named("one"),), lambda chain: True, Agreed(), Budget(seconds=0.0))
    with pytest.raises(Exhausted):
        search.take(search.chain, "nothing")


def test_names_that_cannot_all_go_are_replaced_one_by_one_and_stay_different() -> None:
    names = ("kept", "b", *(f"name{number}" for number in range(40)), "a")
    search = Search((named(*names),), lambda chain: b"kept" in chain[0], Agreed(), Budget(steps=200))
    replace_names(search)
    left = list(names_of(search.chain))
    assert len({*left}) == len(left) == len(names)
    assert [name for name in left if name.startswith(("kept", "name"))] == ["kept"]


def test_a_name_that_has_to_stay_is_told() -> None:
    found = shrink([named("b", "second", "a")], lambda chain: b"second" in chain[0] and units_of(chain) == 3)
    assert found.names == ("second",)


def units_of(chain: Sequence[bytes]) -> int:
    """The units of a chain that can be decoded."""
    return sum(1 for _ in chain_decoder(chain).units())
