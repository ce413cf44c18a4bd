"""Tests of what is read of NNEF graphs."""

from __future__ import annotations

from nnr_conformance.frameworks.nnef import identifiers, quantized_labels, variable_shapes, without_leading_ones

GRAPH = """
version 1.0;
graph net(x) -> (y)
{
    x = external<scalar>(shape = [1, 3]);  # w = variable(label = 'comment');
    w = variable<scalar>(shape = [4, 3], label = 'layer/w');
    b=variable(label="layer/b",shape=[1,4]);
    c = variable(shape = [n], label = 'c');
    y = linear(x, w, b);
}
"""


def test_variables_have_their_labels_and_shapes() -> None:
    assert variable_shapes(GRAPH) == {"layer/w": (4, 3), "layer/b": (1, 4), "c": None}
    assert identifiers(GRAPH) >= {"x", "w", "b", "c", "y"}
    assert not identifiers(GRAPH) & {"linear", "label", "comment"}


def test_a_quantization_file_has_a_label_in_each_line() -> None:
    text = "# none\n'layer/w': linear_quantize(bits = 8);\n\n\"y\": f(max = 1.0);\n"
    assert quantized_labels(text) == ["layer/w", "y"]


def test_vectors_are_rows() -> None:
    assert without_leading_ones((1, 4)) == (4,)
    assert without_leading_ones((4, 1)) == (4, 1)
    assert without_leading_ones((1, 1)) == ()


def test_half_declarations_take_linear_time() -> None:
    assert variable_shapes("w = variable<" * 100_000) == {}
    assert variable_shapes("w = variable(" * 100_000) == {}
    assert variable_shapes("w " + " " * 1_000_000) == {}
