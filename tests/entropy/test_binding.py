"""The binding: which life runs, and what the compiled one must not do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnr_conformance.entropy import Execution, binding, choose_execution, compiled_available
from nnr_conformance.errors import UsageError

needs_numba = pytest.mark.skipif(not compiled_available(), reason="numba is not installed")

DECODE_FORCED = """
import sys
from nnr_conformance.entropy import TensorCoding, decode_payload
coding = TensorCoding((1,), 11, False, 0, 1, 8)
result = decode_payload(bytes.fromhex("eba100173e"), [coding], compiled={compiled})
print(result.tensors[0].quantized.tolist(), "numba" in sys.modules)
"""


def run(program: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], env=os.environ | environment, capture_output=True, text=True, check=True
    ).stdout.strip()


@needs_numba
@pytest.mark.parametrize("name", ["decode_rows", "decode_rows_tools", "decode_payloads"])
def test_compiled_loops_do_not_count_references(name: str) -> None:
    (assembly,) = binding.compile_loop(name, entrance=True).inspect_asm().values()
    assert "decode_segment" in assembly
    assert "NRT_incref" not in assembly


def test_a_small_payload_does_not_import_numba() -> None:
    assert run(DECODE_FORCED.format(compiled=None)) == "[3] False"


def test_pure_execution_never_imports_numba() -> None:
    program = DECODE_FORCED.format(compiled=None) + (
        "from nnr_conformance.entropy import choose_execution, compiled_available\n"
        "print(choose_execution(10**9)[0].value, compiled_available(), 'numba' in sys.modules)\n"
    )
    assert run(program, NNR_PURE="1").splitlines() == ["[3] False", "interpreted False False"]


def test_compiled_execution_that_is_not_available_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNR_PURE", "1")
    with pytest.raises(UsageError):
        binding.bound_decode_rows(all_tools=False, compiled=True)
    with pytest.raises(UsageError):
        binding.bound_retrace(compiled=True)


@needs_numba
def test_large_work_is_compiled_and_small_work_where_the_code_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NNR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(binding, "is_loaded", lambda name: False)

    def chosen(bits: int) -> Execution:
        return choose_execution(bits)[0]

    assert chosen(binding.COMPILED_FROM) is Execution.COMPILED
    assert chosen(binding.COMPILED_FROM - 1) is Execution.INTERPRETED
    monkeypatch.setattr(binding, "is_kept", lambda name: name == "decode_payloads")
    assert chosen(binding.COMPILED_FROM_WHEN_KEPT) is Execution.COMPILED
    assert chosen(binding.COMPILED_FROM_WHEN_KEPT - 1) is Execution.INTERPRETED
    assert choose_execution(binding.COMPILED_FROM_WHEN_KEPT, all_tools=True)[0] is Execution.INTERPRETED
    monkeypatch.setattr(binding, "is_loaded", lambda name: True)
    assert chosen(binding.COMPILED_FROM_WHEN_LOADED) is Execution.COMPILED
    assert chosen(binding.COMPILED_FROM_WHEN_LOADED - 1) is Execution.INTERPRETED


def test_missing_numba_is_told_where_it_would_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NNR_PURE", raising=False)
    monkeypatch.setattr(binding, "_numba_installed", lambda: False)
    execution, advice = choose_execution(binding.COMPILED_FROM)
    assert execution is Execution.INTERPRETED
    assert "numba" in advice
    assert choose_execution(1)[1] == ""
