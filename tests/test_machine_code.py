"""Machine code that is kept: loaded without the compiler, and only where it is sound and nobody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnr_conformance import machine_code
from nnr_conformance.entropy import binding, compiled_available
from nnr_conformance.entropy.retrace import retrace

pytestmark = pytest.mark.skipif(not compiled_available(), reason="numba is not installed")

DECODE = """
import sys, warnings
from nnr_conformance.entropy import TensorCoding, decode_payload
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    for _ in range(2):
        result = decode_payload(bytes.fromhex("eba100173e"), [TensorCoding((1,), 11, False, 0, 1, 8)], compiled=True)
print(result.tensors[0].quantized.tolist(), "numba" in sys.modules, [str(one.message) for one in told])
"""


def run(folder: Path | str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", DECODE],
        env=os.environ | {"NNR_CACHE_DIR": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("caches") / "kept"
    assert run(folder) == "[3] True []"
    return folder


def kept(folder: Path) -> Path:
    (path,) = folder.glob("decode_payloads-*.code")
    return path


def test_what_was_compiled_once_is_loaded_without_numba(filled: Path) -> None:
    assert run(filled) == "[3] False []"


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_file_that_is_not_sound_is_written_again(damage: str, filled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o700)
    sound = kept(filled).read_bytes()
    flipped = bytearray(sound)
    flipped[len(sound) // 2] ^= 1
    wrong = {"cut": sound[:-9], "flipped": bytes(flipped), "empty": b"", "text": "ä\nb".encode()}[damage]
    (folder / kept(filled).name).write_bytes(wrong)
    assert run(folder) == "[3] True []"
    assert len(kept(folder).read_bytes()) == len(sound)
    assert run(folder) == "[3] False []"


def test_a_folder_that_cannot_be_written_is_told_once_and_does_not_stop_decoding(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = run(tmp_path / "file")
    assert told.startswith('[3] True ["compiled code cannot be kept in ')
    assert told.count("NNR_CACHE_DIR") == 1


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="permissions are those of POSIX")
def test_code_in_a_folder_that_others_can_write_to_is_neither_loaded_nor_kept(filled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / kept(filled).name).write_bytes(kept(filled).read_bytes())
    told = run(folder)
    assert told.startswith("[3] True ")
    assert "others can write" in told
    folder.chmod(0o700)
    assert run(folder) == "[3] False []"


def test_the_folder_is_among_the_users_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NNR_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    monkeypatch.setenv("LOCALAPPDATA", "/l")
    monkeypatch.setenv("HOME", "/h")
    found = {}
    for platform in ("linux", "darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        found[platform] = machine_code.folder().as_posix()
    assert found == {
        "linux": "/x/nnr-conformance",
        "darwin": "/h/Library/Caches/nnr-conformance",
        "win32": "/l/nnr-conformance",
    }


def test_code_of_other_versions_is_removed_when_it_is_old(
    tmp_path: Path, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o700)
    old, young, other = (folder / f"{name}.code" for name in ("retrace-0", "retrace-1", "decode_rows-0"))
    for path in (old, young, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (0, 0))
    monkeypatch.setenv("NNR_CACHE_DIR", str(folder))
    machine_code.bound("retrace", "of other code", binding.LOOPS["retrace"].signature, compile_retrace)
    assert machine_code.is_kept("retrace", "of other code")
    assert not machine_code.is_kept("retrace", "of this code")
    assert {path.name for path in folder.iterdir()} >= {young.name, other.name}
    assert not old.exists()


def compile_retrace(entrance: bool) -> Any:
    return binding.compile_loop("retrace", entrance)


def retraced(function: Any) -> tuple[int, list[int]]:
    levels = np.array([3, 0, -2, 1, 0, 5], np.int32)
    states = np.zeros(6, np.int8)
    found = np.zeros(6, np.int32)
    result = function(levels, np.array([0, 4]), np.array([4, 2]), np.zeros(2, np.uint8), 6, 0, states, found)
    return result, [*states.tolist(), *found.tolist()]


@pytest.mark.parametrize("needs", [(), ("numba_do_raise",)], ids=["alone", "with numba"])
def test_a_loop_gives_what_its_source_gives(
    needs: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNR_CACHE_DIR", str(tmp_path / "kept"))
    if needs:
        monkeypatch.setattr(machine_code, "HARMLESS", ())
    function = machine_code.bound("retrace", f"test {needs}", binding.LOOPS["retrace"].signature, compile_retrace)
    assert isinstance(function, machine_code.MachineCode) == (not needs)
    assert retraced(function) == retraced(retrace)


def test_arguments_of_other_types_never_reach_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNR_CACHE_DIR", str(tmp_path / "kept"))
    function = machine_code.bound("retrace", "test", binding.LOOPS["retrace"].signature, compile_retrace)
    good: list[Any] = [
        np.zeros(4, np.int32),
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
        np.zeros(1, np.uint8),
        0,
        0,
        np.zeros(4, np.int8),
        np.zeros(4, np.int32),
    ]
    for wrong in (np.zeros(4, np.int64), np.zeros((2, 2), np.int32), np.zeros(8, np.int32)[::2]):
        with pytest.raises(TypeError, match="contiguous vector of int32"):
            function(wrong, *good[1:])
    with pytest.raises(ValueError, match="argument"):
        function(*good[:-1])
    with pytest.raises(ctypes_error()):
        function(*good[:4], "0", *good[5:])


def ctypes_error() -> type[Exception]:
    import ctypes  # noqa: PLC0415

    return ctypes.ArgumentError
