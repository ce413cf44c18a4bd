"""Settings files: what a suite tells a decoder about a case, and what is no such file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnr_conformance.cli.decode import main
from nnr_conformance.cli.settings_file import Settings, read_settings
from nnr_conformance.errors import UsageError
from nnr_conformance.tensor_files import read_tensors
from tests.decoder.stream_builder import parameter_set, raw, start

READINGS = Path(__file__).parents[2] / "bitstreams" / "readings"


def written(folder: Path, content: Any) -> str:
    path = folder / "settings.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def test_no_file_says_nothing() -> None:
    assert read_settings(None) == Settings()


def test_all_that_can_be_said_is_read(tmp_path: Path) -> None:
    content = {
        "readings": {"map-count": "minus-one"},
        "limits": {"units": 7},
        "edition": 1,
        "out_of_band": {"w": {"tensor_dimensions": [2, 3]}},
        "tensors": ["w"],
    }
    found = read_settings(written(tmp_path, content))
    assert found == Settings({"map-count": "minus-one"}, {"units": 7}, 1, content["out_of_band"], ("w",))


@pytest.mark.parametrize(
    "content",
    [
        "not JSON",
        "[" * 100_000,
        [],
        {"unknown": 1},
        {"readings": {"map-count": 1}},
        {"limits": {"units": "7"}},
        {"limits": {"no such": 7}},
        {"limits": {"units": True}},
        {"edition": 3},
        {"out_of_band": {"w": {"tensor_dimensions": 3}}},
        {"tensors": "w"},
        {"tensors": [1]},
    ],
)
def test_what_is_no_settings_file_is_wrong_use_that_names_the_file(content: Any, tmp_path: Path) -> None:
    path = written(tmp_path, content)
    with pytest.raises(UsageError, match=r"settings\.json"):
        read_settings(path)


def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_settings(str(tmp_path / "none.json"))


def test_nnr_decode_follows_limits_tensors_and_edition_of_a_settings_file(tmp_path: Path) -> None:
    stream, out = tmp_path / "in.nnr", tmp_path / "out.npz"
    one, other = (np.full((2, number), number, np.float32) for number in (1, 2))
    stream.write_bytes(start() + parameter_set() + raw("one", one) + raw("other", other))
    command = [str(stream), "--check", "-o", str(out), "--settings"]
    assert main([*command, written(tmp_path, {"tensors": ["other"]})]) == 0
    with read_tensors(out) as tensors:
        assert {name: tensors[name].tolist() for name in tensors} == {"other": other.tolist()}
    out.unlink()
    assert main([*command, written(tmp_path, {"limits": {"units": 3}})]) == 3
    assert not out.exists()


def test_a_reading_on_the_command_line_precedes_that_of_the_file(tmp_path: Path) -> None:
    stream, out = READINGS / "10-skipped-row-states-01.nnr", tmp_path / "out.npz"
    found = {}
    for choice in ("row-width", "per-position"):
        path = written(tmp_path, {"readings": {"row-skip-state": choice}})
        for more in ([], ["--reading", "row-skip-state=row-width"]):
            main(["--transmitted", str(stream), "-o", str(out), "--settings", path, *more])
            with read_tensors(out) as tensors:
                found[choice, bool(more)] = {name: tensors[name].tobytes() for name in tensors}
    assert found["row-width", False] == found["per-position", True]
    assert found["row-width", False] != found["per-position", False]
