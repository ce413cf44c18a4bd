"""Annex A: the convolutional network as an NNEF graph, whose variables have the names of the tensors as labels."""

from __future__ import annotations

from nnr_conformance.suite.cfp2019.networks import Tensors

_HEAD = """version 1.0;
graph digits(pixels) -> (scores) {
  pixels = external<scalar>(shape = [1, 1, 8, 8]);
"""
_TAIL = """  raw1 = conv(pixels, conv1_weight, padding = [(1, 1), (1, 1)]);
  norm1 = batch_normalization(raw1, norm1_running_mean, norm1_running_var, norm1_bias, norm1_weight, epsilon = 1e-5);
  half1 = max_pool(relu(norm1), size = [1, 1, 2, 2], stride = [1, 1, 2, 2]);
  raw2 = conv(half1, conv2_weight, padding = [(1, 1), (1, 1)]);
  norm2 = batch_normalization(raw2, norm2_running_mean, norm2_running_var, norm2_bias, norm2_weight, epsilon = 1e-5);
  half2 = max_pool(relu(norm2), size = [1, 1, 2, 2], stride = [1, 1, 2, 2]);
  flat = reshape(half2, shape = [0, -1]);
  hidden = relu(linear(flat, hidden_weight, hidden_bias));
  scores = linear(hidden, output_weight, output_bias);
}
"""


def nnef_graph(tensors: Tensors) -> str:
    """The graph with a variable for each tensor; vectors are rows, as NNEF has them."""
    lines = []
    for name, values in tensors.items():
        shape = list(values.shape) if values.ndim > 1 else [1, *values.shape]
        lines.append(f"  {name.replace('.', '_')} = variable<scalar>(shape = {shape}, label = '{name}');\n")
    return _HEAD + "".join(lines) + _TAIL
