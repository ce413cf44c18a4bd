"""The encoder's bindings: which life runs, and what the compiled one must not do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
    compiled = binding.compile_loop(name, entrance=True)
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


@needs_numba
def test_compiled_is_chosen_by_what_the_loops_of_a_job_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: set[str] = set()
    kept: set[str] = set()
    monkeypatch.setattr(binding, "is_loaded", loaded.__contains__)
    monkeypatch.setattr(binding.machine_code, "is_kept", lambda name, digest: name in kept)
    for name in binding.INTERPRETED:

        def seconds(name: str = name, factor: float = 1.0, cost: float = 0.0) -> int:
            return round(factor * cost / binding.INTERPRETED[name])

        costs = (binding.STARTING + binding.COMPILING[name], binding.LOADING, binding.MOVING)
        for state, cost in zip(((), (kept,), (kept, loaded)), costs, strict=True):
            for names in state:
                names.add(name)
            assert binding.choose_compiled(seconds(factor=1.1, cost=cost), name), (name, cost)
            assert not binding.choose_compiled(seconds(factor=0.9, cost=cost), name), (name, cost)
        kept.clear()
        loaded.clear()
    # Neither is worth compiling for alone, both together are; and a trellis is more work than writing.
    several = {"encode_plain_rows": 2_400_000, "search_trellis": 80_000}
    assert not any(binding.choose_compiled(count, name) for name, count in several.items())
    assert not binding.choose_all_compiled(several)
    assert binding.choose_all_compiled({name: 2 * count for name, count in several.items()})


@needs_numba
def test_what_was_compiled_once_is_loaded_without_numba(tmp_path: Path) -> None:
    program = ENCODE.replace("5))}", "5))}, EncoderSettings(dq=True, compiled=True)")
    program = program.replace("import encode_model", "import EncoderSettings, encode_model")
    found = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"NNR_CACHE_DIR": str(tmp_path / "kept")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert found == ["True True", "True False"]
