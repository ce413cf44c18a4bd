"""The encoder's bindings: which life runs, and what the compiled one must not do."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nnr_conformance.encoder import binding
from nnr_conformance.entropy import compiled_available
from nnr_conformance.errors import UsageError

needs_numba = pytest.mark.skipif(not compiled_available(), reason="numba is not installed")

ENCODE = """
import sys
import numpy as np
from nnr_conformance.encoder.model_encoder import encode_model
print(len(encode_model({"w": np.ones((4, 5))}).data) > 20, "numba" in sys.modules)
"""


def run(**environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", ENCODE], env=os.environ | environment, capture_output=True, text=True, check=True
    ).stdout.strip()


@needs_numba
@pytest.mark.parametrize("name", binding.LOOPS)
def test_compiled_loops_do_not_count_references(name: str) -> None:
    compiled = binding.compile_loop(name, cached=False)
    (assembly,) = compiled.inspect_asm().values()
    assert "NRT_incref" not in assembly


def test_a_small_model_does_not_import_numba() -> None:
    assert run() == "True False"
    assert run(NNR_PURE="1") == "True False"


def test_compiled_encoding_that_is_not_available_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNR_PURE", "1")
    with pytest.raises(UsageError, match="numba"):
        binding.bound("encode_rows", compiled=True)
    assert not binding.choose_compiled(10**9, "encode_rows")
