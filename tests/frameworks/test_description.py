"""Tests of descriptions of named arrays."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks.description import (
    DTYPES,
    Described,
    Description,
    as_json,
    described,
    from_json,
    is_weight,
    restored,
)

SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@st.composite
def arrays(draw: st.DrawFn) -> dict[str, np.ndarray]:
    random = np.random.default_rng(draw(st.integers(0, 99)))
    names = draw(st.lists(st.text(max_size=4), unique=True, max_size=5))
    found = {}
    for name in names:
        values = np.asarray(np.abs(random.standard_normal(draw(SHAPES))) * 90)
        found[name] = values.astype(draw(st.sampled_from(sorted(DTYPES))))
    return found


@given(arrays())
def test_arrays_come_back_exactly_from_description_and_tensors(found: dict[str, np.ndarray]) -> None:
    description = Description(tuple(described(name, array) for name, array in found.items()))
    again = from_json("model", as_json("model", description))
    assert again == description
    tensors = {name: array for name, array in found.items() if is_weight(name, array)}
    whole = restored(again, tensors)
    assert list(whole) == list(found)
    for name, array in found.items():
        assert whole[name].dtype == array.dtype
        assert np.array_equal(whole[name], array)


def test_a_description_holds_the_bytes_of_single_numbers_and_large_integers_only() -> None:
    found = {
        "many": np.zeros(3, np.float32),
        "one": np.array(2.5),
        "large": np.array([1, 1 << 40]),
        "none": np.zeros((0, 3), np.float32),
        "whole": np.array([1, -(1 << 31)]),
    }
    kept = {name for name, array in found.items() if described(name, array).data is not None}
    assert kept == {"one", "large", "none"}


def test_an_array_that_is_another_one_is_the_same_object() -> None:
    first = Described("a", "float32", (2,))
    description = Description((first, Described("b", "float32", (2,), same_as="a")))
    whole = restored(description, {"a": np.ones(2, np.float32)})
    assert whole["a"] is whole["b"]


def row(**changes: object) -> dict[str, object]:
    return {"name": "w", "dtype": "float32", "shape": [2], **changes}


HOSTILE = {
    "no text": b"\xff",
    "no object": b"[]",
    "another kind": json.dumps({"nnr_topology": "other", "version": 1, "arrays": []}).encode(),
    "nested deep": b"[" * 100000,
    **{
        name: json.dumps({"nnr_topology": "model", "version": 1, "arrays": rows}).encode()
        for name, rows in {
            "no row": [3],
            "dtype": [row(dtype="object")],
            "dtype that is a list": [row(dtype=[])],
            "negative": [row(shape=[-1])],
            "true": [row(shape=[True])],
            "many dimensions": [row(shape=[1] * 33)],
            "data of another size": [row(data="AAAA")],
            "data that is no base64": [row(data="!")],
            "twice": [row(), row()],
            "itself": [row(same_as="w")],
            "another shape": [row(), row(name="v", same_as="w", shape=[3])],
            "name": [row(name=3)],
            "name that is no text": [row(name="\ud800")],
        }.items()
    },
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_description_is_refused_with_a_word(data: bytes) -> None:
    with pytest.raises(UsageError, match="topology"):
        from_json("model", data)


def test_missing_misshapen_and_unfitting_tensors_are_refused() -> None:
    description = Description((Described("w", "int8", (2,)),))
    for tensors, word in (
        ({}, "do not give"),
        ({"w": np.zeros(3, np.int32)}, "in the topology"),
        ({"w": np.array([0, 128])}, "does not hold"),
        ({"w": np.zeros(2, np.float32)}, "does not hold"),
    ):
        with pytest.raises(UsageError, match=word):
            restored(description, tensors)
