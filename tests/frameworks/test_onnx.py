"""Tests of ONNX models taken apart and put together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnr_conformance.checker.topology_formats import onnx_initializers
from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks import onnx
from nnr_conformance.frameworks.protobuf import bytes_field, varint_field
from tests.frameworks.onnx_models import (
    FLOAT16,
    attribute,
    external_tensor,
    graph,
    model,
    node,
    small_network,
    tensor,
)

SHAPES = st.lists(st.integers(1, 4), max_size=3).map(tuple)
KINDS = st.sampled_from(["float32", "float16", "float64", "int8", "uint8", "int64"])


@st.composite
def models(draw: st.DrawFn) -> bytes:
    """Models with initializers of many kinds, with names that occur again in subgraphs, and Constant nodes."""
    random = np.random.default_rng(draw(st.integers(0, 99)))

    def a_tensor(name: str) -> bytes:
        kind = draw(KINDS)
        values = np.asarray(random.standard_normal(draw(SHAPES)) * 50).astype(kind)
        return tensor(name, values, raw=kind != "float32" or draw(st.booleans()))

    def a_graph(depth: int) -> bytes:
        nodes = [node("Relu", ["x"], ["y"])]
        if draw(st.booleans()):
            name = draw(st.sampled_from("abc"))
            nodes.append(node("Constant", [], [name], attribute("value", value=a_tensor(""))))
        if depth < 2 and draw(st.booleans()):
            branches = [attribute(one, graph=a_graph(depth + 1)) for one in ("then_branch", "else_branch")]
            nodes.append(node("If", ["c"], ["z"], *branches))
        return graph(nodes, [a_tensor(name) for name in draw(st.lists(st.sampled_from("abcde"), max_size=3))])

    return model(a_graph(0))


@given(models())
def test_a_model_that_was_taken_apart_is_put_together_byte_for_byte(data: bytes) -> None:
    parts = onnx.split(data)
    assert onnx.merge(parts.topology, parts.tensors) == data


@given(models())
def test_numbers_of_weights_are_not_in_the_topology(data: bytes) -> None:
    parts = onnx.split(data)
    out = {name for name, one in onnx.parameters(parts.topology).items() if one.is_out}
    assert out == set(parts.tensors)
    assert len(data) - len(parts.topology) >= sum(
        tensor.nbytes for tensor in parts.tensors.values() if tensor.dtype.kind != "f"
    )
    assert all(tensor.size > 1 and tensor.ndim for tensor in parts.tensors.values())


def test_the_topology_is_an_onnx_model_that_names_its_initializers() -> None:
    parts = onnx.split(small_network())
    assert onnx_initializers(parts.topology) == {*parts.tensors, "shape"}
    assert parts.tensors["conv.weight"].shape == (4, 3, 3, 3)


def test_other_numbers_change_nothing_but_their_own_bytes() -> None:
    parts = onnx.split(small_network())
    changed = onnx.merge(parts.topology, {name: values + 1 for name, values in parts.tensors.items()})
    again = onnx.split(changed)
    assert again.topology == parts.topology
    assert all(np.array_equal(again.tensors[name], parts.tensors[name] + 1) for name in parts.tensors)


def test_what_resizing_takes_as_sizes_stays_exact() -> None:
    sizes = tensor("scales", np.array([1, 1, 2, 2], np.float32))
    nodes = [node("Resize", ["x", "", "scales"], ["y"])]
    parts = onnx.split(model(graph(nodes, [sizes])))
    assert not parts.tensors


def test_subgraphs_with_the_same_names_keep_their_own_tensors() -> None:
    ones, twos = (graph([], [tensor("w", np.full(4, number, np.float32))]) for number in (1, 2))
    both = node("If", ["c"], ["y"], attribute("then_branch", graph=ones), attribute("else_branch", graph=twos))
    parts = onnx.split(model(graph([both], [])))
    assert {name: values[0] for name, values in parts.tensors.items()} == {"w": 1, "w#2": 2}


def test_numbers_of_other_files_come_into_the_model() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    data = model(graph([], [external_tensor("w", values, "w.bin", 4)]))
    asked = []

    def read(name: str, offset: int, size: int | None) -> bytes:
        asked.append((name, offset, size))
        return values.tobytes()

    parts = onnx.split(data, read)
    assert asked == [("w.bin", 4, 24)]
    whole = onnx.merge(parts.topology, parts.tensors)
    assert np.array_equal(onnx.split(whole).tensors["w"], values)
    with pytest.raises(UsageError, match="beside the model"):
        onnx.split(data)


def test_bfloat16_is_exact_and_rounds_to_even() -> None:
    bits = np.array([0x3F80, 0x3F81, 0xC000, 0x0001, 0x7F7F, 0x7F80], np.uint16)
    one = varint_field(1, 6) + varint_field(2, 16) + bytes_field(8, b"w") + bytes_field(9, bits.astype("<u2").tobytes())
    data = model(graph([], [one]))
    parts = onnx.split(data)
    assert parts.tensors["w"][:3].tolist() == [1.0, 1.0078125, -2.0]
    assert onnx.merge(parts.topology, parts.tensors) == data
    middle = np.array([1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, 3.4028235e38, 0, 0], np.float32)
    rounded = onnx.split(onnx.merge(parts.topology, {"w": middle})).tensors["w"]
    assert rounded[:3].tolist() == [1.0, 1.015625, 1.0078125]
    assert np.isfinite(rounded).all()


def test_numbers_beyond_float16_become_its_largest() -> None:
    data = model(graph([], [tensor("w", np.array([1, 65504], np.float16))]))
    parts = onnx.split(data)
    again = onnx.split(onnx.merge(parts.topology, {"w": np.array([1, 65530], np.float32)}))
    assert again.tensors["w"].tolist() == [1, 65504]


def test_missing_and_misshapen_tensors_are_refused() -> None:
    parts = onnx.split(small_network())
    less = {name: values for name, values in parts.tensors.items() if name != "conv.bias"}
    with pytest.raises(UsageError, match=r"conv\.bias"):
        onnx.merge(parts.topology, less)
    with pytest.raises(UsageError, match="in the graph it is"):
        onnx.merge(parts.topology, {**parts.tensors, "conv.bias": np.zeros(5, np.float32)})


def test_a_model_larger_than_a_protocol_buffer_is_refused() -> None:
    data = small_network()
    parts = onnx.split(data)
    with pytest.raises(UsageError, match="more than 1000"):
        onnx.merge(parts.topology, parts.tensors, largest=1000)
    assert onnx.merge(parts.topology, parts.tensors, largest=len(data)) == data


HOSTILE = {
    "nothing": b"",
    "text": b"hello, this is no model",
    "no graph": varint_field(1, 8),
    "two graphs": bytes_field(7, b"") * 2,
    "graph that is a number": varint_field(7, 1),
    "tensor that ends early": model(graph([], [tensor("w", np.zeros(4, np.float32))[:-3]])),
    "too little data": model(graph([], [varint_field(1, 9) + varint_field(2, 1) + bytes_field(9, bytes(8))])),
    "huge shape": model(graph([], [varint_field(1, 1 << 62) * 32 + varint_field(2, FLOAT16) + bytes_field(9, b"")])),
    "many dimensions": model(graph([], [varint_field(1, 1 << 60) * 10000 + varint_field(2, 1) + bytes_field(9, b"1")])),
    "negative dimension": model(graph([], [varint_field(1, -1) + varint_field(2, 1) + bytes_field(9, b"1234")])),
    "offset that is no number": model(
        graph([], [varint_field(14, 1) + bytes_field(13, bytes_field(1, b"offset") + bytes_field(2, b"x"))])
    ),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_model_is_refused_with_a_word(data: bytes) -> None:
    with pytest.raises(UsageError):
        onnx.split(data)


def test_graphs_that_are_nested_too_deep_are_refused() -> None:
    inner = graph([], [])
    for _ in range(500):
        inner = graph([node("If", ["c"], ["y"], attribute("then_branch", graph=inner))], [])
    with pytest.raises(UsageError, match="too deep"):
        onnx.split(model(inner))


def test_many_tensors_of_one_name_take_linear_time() -> None:
    many = graph([], [tensor("w", np.zeros(2, np.float32))] * 20000)
    assert len(onnx.split(model(many)).tensors) == 20000


@settings(max_examples=300)
@given(st.data())
def test_damaged_models_give_usage_errors_and_nothing_else(data: st.DataObject) -> None:
    damaged = bytearray(small_network())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    for content in (bytes(damaged), cut):
        try:
            parts = onnx.split(content)
            onnx.merge(parts.topology, parts.tensors)
        except UsageError:
            pass


def test_the_model_passes_the_checker_of_onnx_and_runs() -> None:
    library = pytest.importorskip("onnx", reason="needs the library of ONNX")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    data = small_network()
    parts = onnx.split(data)
    whole = onnx.merge(parts.topology, {name: values.astype(np.float64) for name, values in parts.tensors.items()})
    library.checker.check_model(whole, full_check=True)
    x = np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)
    before, after = (runtime.InferenceSession(one).run(None, {"x": x})[0] for one in (data, whole))
    assert np.array_equal(before, after)
