"""Models to streams: without findings, decoded to the bits that the encoder foresaw, within the promised error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import nnr_conformance
from nnr_conformance.encoder.model_encoder import encode_model, encode_update
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.encoder.step_size import step_size
from nnr_conformance.encoder.update_chain import ChainState
from nnr_conformance.entropy import compiled_available
from nnr_conformance.errors import BuildError
from nnr_conformance.report.model import Verdict
from tests.encoder.models import BLOCK, REMARKS, SETTINGS, model, settings


def same_bits(found: np.ndarray, expected: np.ndarray) -> bool:
    return found.dtype == expected.dtype and found.shape == expected.shape and found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_stream_has_no_findings_and_decodes_to_what_the_encoder_foresaw(name: str) -> None:
    encoded = encode_model(model(), settings(name))
    report = nnr_conformance.check(encoded.data)
    assert report.verdict is Verdict.CONFORMING
    assert {found.code for found in report.diagnostics} == REMARKS.get(name, set())
    decoded = nnr_conformance.decode(encoded.data)
    assert decoded.tensors.keys() == encoded.tensors.keys()
    assert [key for key in encoded.tensors if not same_bits(decoded.tensors[key], encoded.tensors[key])] == []
    transmitted = nnr_conformance.decode(encoded.data, transmitted=True)
    assert [key for key in encoded.levels if not same_bits(transmitted.levels[key], encoded.levels[key])] == []


@pytest.mark.parametrize("name", ["plain", "edition 1", "row skip", "parts", "aggregate", "other densities"])
def test_every_weight_is_decoded_within_half_a_step(name: str) -> None:
    chosen, tensors = settings(name), model()
    decoded = nnr_conformance.decode(encode_model(tensors, chosen).data).tensors
    for key, tensor in tensors.items():
        found = decoded[key].reshape(tensor.shape)
        if tensor.dtype.kind == "f":
            bound = step_size(chosen.qp_of(key, tensor.ndim), chosen.qp_density) / 2
            assert np.all(np.abs(found - tensor) <= bound * (1 + 1e-6) + 2.0**-24 * np.abs(tensor))
        else:
            assert np.array_equal(found, tensor)


def test_tensors_keep_their_format_where_the_stream_can_say_it() -> None:
    decoded = nnr_conformance.decode(encode_model(model(), EncoderSettings(keep_formats=True)).data).tensors
    found = {name: decoded[name].dtype.name for name in ("half", "double", "bytes", "steps", "words", "mask", "dense")}
    assert found == {
        "half": "float16",
        "double": "float64",
        "bytes": "int8",
        "steps": "int64",
        "words": "int32",
        "mask": "int32",
        "dense": "float32",
    }


def test_a_float16_that_its_level_would_leave_is_delivered_wider() -> None:
    tensors = {"w": np.array([[65504.0, 1.0]], np.float16)}
    encoded = encode_model(tensors, EncoderSettings(qp=60, keep_formats=True))
    assert encoded.tensors["w"].dtype == np.float32
    assert not nnr_conformance.check(encoded.data).diagnostics


def test_raw_tensors_come_through_bit_for_bit() -> None:
    raw = np.array([[np.nan, np.inf], [-0.0, 1e-42]], np.float32)
    encoded = encode_model({"w": raw, "v": raw[:, 1].copy()}, EncoderSettings(raw=frozenset(["w", "v"])))
    assert not nnr_conformance.check(encoded.data).diagnostics
    assert same_bits(nnr_conformance.decode(encoded.data).tensors["w"], raw)


def test_the_order_of_weights_of_a_folded_layer_is_that_of_its_layer() -> None:
    tensors = model()
    plan = replace(BLOCK, fold=True, local_scaling=False)
    decoded = nnr_conformance.decode(encode_model(tensors, EncoderSettings(blocks=(plan,))).data).tensors
    gain = tensors["bn.gamma"] / np.sqrt(tensors["bn.var"] + 1e-5)
    weight = tensors["conv.weight"] * gain[:, None, None, None]
    assert np.allclose(decoded["conv.weight"], weight, atol=2e-3)
    bias = (tensors["conv.bias"] - tensors["bn.mean"]) * gain + tensors["bn.beta"]
    assert np.allclose(decoded["conv.bias"], bias, atol=1e-5)
    assert not {"bn.beta", "bn.gamma", "bn.mean", "bn.var"} & decoded.keys()


def test_the_same_model_gives_the_same_bytes_in_both_lives() -> None:
    if not compiled_available():
        pytest.skip("numba is not installed")
    for name in ("dependent, blocks, row skip", "codebook", "rate-distortion"):
        lives = [encode_model(model(), replace(settings(name), compiled=choice)).data for choice in (False, True)]
        assert lives[0] == lives[1]


def test_progress_counts_every_element() -> None:
    seen: list[int] = []
    encoded = encode_model(model(), settings("layer block"), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == encoded.weights == sum(tensor.size for tensor in model().values())


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (np.zeros((3, 0), np.float32), "empty"),
        (np.array([1.0, np.nan]), "NaN or infinities"),
        (np.array([2**31]), "32 bits"),
        (np.array([2**64 - 1], np.uint64), "32 bits"),
        (np.array([1j]), "complex"),
        (np.array(["a"]), "<U1"),
    ],
)
def test_a_tensor_that_cannot_be_encoded_is_refused_by_name(tensor: np.ndarray, text: str) -> None:
    with pytest.raises(BuildError, match=text) as caught:
        encode_model({"the.name": tensor})
    assert "the.name" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"profile": 2}, "profile is 0 to 1"),
        ({"scan_order": 5}, "scan_order is 0 to 4"),
        ({"unary_length": 257}, "unary_length is 1 to 256"),
        ({"qp_density": 8}, "qp_density is 0 to 7"),
        ({"qp": 4000}, "no step size"),
        ({"vector_qp": 1000, "qp": -200}, "no step size"),
        ({"vector_qp": 100, "qp": -300}, "from that of the model"),
        ({"dq": True, "codebook": 4}, "exclude"),
        ({"profile": 0, "row_skip": True}, "edition 2"),
        ({"price": -1.0}, "price"),
        ({"price": float("nan")}, "price"),
        ({"deadzone": 0.7}, "deadzone"),
        ({"raw": frozenset(["steps"])}, "only floats"),
        ({"part_bytes": 1}, "255"),
        ({"blocks": (replace(BLOCK, weight="nothing"),)}, "nothing"),
        ({"blocks": (replace(BLOCK, bias="nothing"),)}, "nothing"),
        ({"blocks": (replace(BLOCK, bias="", fold=True),)}, "bias"),
        ({"blocks": (replace(BLOCK, weight="dense"),)}, "rows"),
        ({"blocks": (replace(BLOCK, weight="bn.mean"),)}, "dimensions"),
        ({"blocks": (replace(BLOCK, bias="", batch_norm=(), local_scaling=False),)}, "alone"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change: dict[str, Any], text: str) -> None:
    with pytest.raises(BuildError, match=text):
        encode_model(model(), EncoderSettings(**change))


def test_a_model_without_tensors_is_refused() -> None:
    with pytest.raises(BuildError, match="no tensor"):
        encode_model({})


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_stream_can_carry_is_refused(name: str) -> None:
    with pytest.raises(BuildError, match="name"):
        encode_model({name: np.ones(2)})


def changed(tensors: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = dict(tensors)
    for name in ("dense", "half", "conv.weight", "double"):
        moved = rng.normal(0, 0.05, tensors[name].shape) * (rng.random(tensors[name].shape) < 0.2)
        found[name] = (tensors[name] + moved).astype(tensors[name].dtype)
    found["bytes"] = tensors["bytes"] + np.int8(seed % 2)
    return found


UPDATES = [{}, {"dq": True, "scan_order": 1}, {"row_skip": True}, {"codebook": 9}, {"temporal_contexts": False}]


@pytest.mark.parametrize("first", ["plain", "edition 1", "codebook", "row skip"])
def test_a_chain_of_updates_decodes_to_what_the_encoder_foresaw(first: str) -> None:
    tensors = model()
    encoded = encode_model(tensors, settings(first))
    streams, chain = [encoded.data], encoded.state
    for step, change in enumerate(UPDATES):
        tensors = changed(tensors, step)
        update = encode_update(tensors, chain, EncoderSettings(qp=-36, **change))
        streams.append(update.data)
        report = nnr_conformance.check(streams)
        assert report.verdict is Verdict.CONFORMING
        assert not report.diagnostics
        decoded = nnr_conformance.decode(streams).tensors
        expected = update.state.values
        # A tensor from a codebook that no update touches is delivered in binary64.
        found = {name: values.astype(expected[name].dtype) for name, values in decoded.items()}
        assert [name for name in expected if not same_bits(found[name], expected[name])] == []
        chain = ChainState.of_streams(streams)
        assert chain.ids == dict(update.state.ids)
        for mine, read in ((update.state.levels, chain.levels), (update.state.history, chain.history)):
            assert mine.keys() == read.keys()
            assert all(np.array_equal(mine[name], read[name]) for name in mine)
        assert all(same_bits(chain.values[name], expected[name]) for name in expected)


def test_temporal_contexts_and_history_make_updates_of_the_same_places_smaller() -> None:
    rng = np.random.default_rng(4)
    places = rng.random((120, 130)) < 0.05
    weight = rng.normal(0, 0.1, places.shape).astype(np.float32)
    first = encode_model({"w": weight}, EncoderSettings(qp=-30))
    chain, sizes = first.state, []
    for _ in range(3):
        weight = (weight + places * rng.normal(0, 0.1, places.shape)).astype(np.float32)
        update = encode_update({"w": weight}, chain, EncoderSettings(qp=-30))
        without = encode_update({"w": weight}, chain, EncoderSettings(qp=-30, temporal_contexts=False, history=False))
        sizes.append((len(update.data), len(without.data)))
        chain = update.state
    assert all(with_contexts < 0.8 * without for with_contexts, without in sizes[1:])


def test_an_update_leaves_out_what_did_not_change_and_sends_whole_what_is_new() -> None:
    tensors = model()
    first = encode_model(tensors)
    unchanged = encode_update({**first.state.values}, first.state)
    assert list(unchanged.levels) == ["scalar"]
    assert not nnr_conformance.check([first.data, unchanged.data]).diagnostics
    more = {**tensors, "new": np.ones((3, 4), np.float32), "dense": np.ones((4, 4), np.float32)}
    update = encode_update(more, first.state)
    decoded = nnr_conformance.decode([first.data, update.data]).tensors
    assert np.allclose(decoded["new"], 1, atol=1e-3)
    assert decoded["dense"].shape == (4, 4)


def test_a_tensor_that_went_raw_or_as_factors_can_be_updated_later() -> None:
    tensors = {"w": np.ones((20, 30), np.float32), "v": np.ones((4, 5), np.float32)}
    encoded = encode_model(tensors, EncoderSettings(rank=1))
    streams = [encoded.data]
    for step, raw in enumerate((frozenset(["v"]), frozenset[str](), frozenset[str]())):
        moved = {name: (tensor * np.float32(1.5 + step)) for name, tensor in tensors.items()}
        encoded = encode_update(moved, encoded.state, EncoderSettings(raw=raw))
        streams.append(encoded.data)
        assert not nnr_conformance.check(streams).diagnostics
        decoded = nnr_conformance.decode(streams).tensors
        assert all(np.allclose(decoded[name], moved[name], atol=2e-3) for name in moved)
        assert ChainState.of_streams(streams).parents == encoded.state.parents | {"w_G", "w_H"}


def test_a_model_from_elsewhere_is_updated_by_name() -> None:
    tensors = model()
    update = encode_update(changed(tensors, 1), ChainState.of_tensors(tensors))
    decoded = nnr_conformance.decode(update.data, base=tensors)
    assert all(same_bits(decoded.tensors[name], update.tensors[name]) for name in update.levels)


@pytest.mark.parametrize("change", [{"profile": 0}, {"rank": 2}, {"blocks": (BLOCK,)}])
def test_an_update_in_edition_1_or_of_blocks_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BuildError, match="updates"):
        encode_update(model(), ChainState({}), EncoderSettings(**change))


def test_a_base_that_cannot_be_decoded_is_refused() -> None:
    with pytest.raises(BuildError, match="base"):
        ChainState.of_streams([encode_model(model()).data[:-3]])
