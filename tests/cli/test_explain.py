"""nnr-explain: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nnr_conformance.cli.explain import main
from nnr_conformance.data import data_path
from nnr_conformance.syntax.describe import structures
from nnr_conformance.syntax.semantics import all_semantics

DUMPS = yaml.safe_load((Path(__file__).parents[1] / "syntax/annotated_dumps.yaml").read_text(encoding="utf-8"))
PLAIN = str(data_path("bitstreams/examples/ex1_ed1_plain.nnr"))
MAPS = str(data_path("bitstreams/examples/ex7_ed2_handmade_maps_raw.nnr"))
COMMAND = [sys.executable, "-m", "nnr_conformance.cli.explain"]

Written = Callable[..., str]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a stream given in hexadecimal digits; its path."""

    def write(digits: str, name: str = "stream.nnr") -> str:
        path = tmp_path / name
        path.write_bytes(bytes.fromhex(digits))
        return str(path)

    return write


def units_of(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()][:-1]


@pytest.mark.parametrize("name", DUMPS)
def test_the_listing_shows_every_row_of_the_annotated_dump(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(data_path(f"bitstreams/examples/{name}"))]) == 0
    blocks = capsys.readouterr().out.split("\n\n")
    for number, rows in DUMPS[name].items():
        (block,) = [block for block in blocks if block.startswith(f"unit {number}  ")]
        lines = [line.split() for line in block.splitlines()]
        base = int(block.split("bytes ")[1].split("..")[0])
        for first, pattern, element, _ in rows:
            if element == "topology_data":
                assert f"payload topology_data bytes {base + first // 8}.." in block
                continue
            position = [f"{base + first // 8}.{first % 8}", str(8 * base + first)]
            (line,) = [line for line in lines if line[:2] == position]
            assert element in line
            assert line[2] == pattern or line[2] == "hex" or len(pattern) > 16


def test_values_are_shown_in_words_and_inferred_ones_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--unit", "3", MAPS]) == 0
    lines = [line.split(maxsplit=6) for line in capsys.readouterr().out.splitlines()]
    by_name = {line[3]: line for line in lines if len(line) > 5}
    assert by_name["nnr_compressed_data_unit_payload_type"][5:] == ["2", "NNR_PT_RAW_FLOAT"]
    assert by_name["topology_elem_id"][5] == '"r"'
    inferred = [line for line in lines if line[:3] == ["-", "-", "cabac_unary_length_minus1"]]
    assert inferred == [["-", "-", "cabac_unary_length_minus1", "9", "inferred:", "out", "of band, or the default"]]


def test_floats_are_shown_by_the_digits_that_tell_them_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--unit", "1", MAPS]) == 0
    assert "spm_nn_class_accuracy[0][1]              flt(32)     0.5\n" in capsys.readouterr().out


def test_only_the_units_asked_for_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--unit", "1", "--unit", "4", PLAIN]) == 0
    heads = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("unit ")]
    assert heads == ["1", "4"]


def test_payloads_are_a_range_with_their_first_bytes_and_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--unit", "3", PLAIN]) == 0
    assert "payload cabac_payload bytes 30..41 (12 bytes): eb a1 00 09 92 a7 ae ce …\n" in capsys.readouterr().out
    assert main(["--unit", "3", "--no-payload", PLAIN]) == 0
    assert "cabac_payload" not in capsys.readouterr().out


def test_json_has_one_line_per_unit_and_one_for_the_stream(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--format", "json", PLAIN]) == 0
    printed = capsys.readouterr().out
    units = units_of(printed)
    assert [unit["type"] for unit in units] == ["NNR_STR", "NNR_MPS", "NNR_TPL", "NNR_NDU", "NNR_NDU"]
    covered = sum(element["bit_count"] for unit in units for element in unit["elements"])
    assert covered == 8 * Path(PLAIN).stat().st_size
    (scan_order,) = [element for element in units[3]["elements"] if element["element"] == "scan_order"]
    assert (scan_order["value"], scan_order["meaning"], scan_order["inferred"]) == (0, "row-major", False)
    assert json.loads(printed.splitlines()[-1]) == {"stream": PLAIN, "bytes": 59, "units": 5, "diagnostics": []}


def test_enclosed_units_are_listed_behind_their_aggregate(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    path = written("0015 1a 00 00 0000 0000" + "00060e000000" * 2)
    assert main(["--format", "json", path]) == 0
    assert [unit["unit"] for unit in units_of(capsys.readouterr().out)] == ["0", "0.0", "0.1"]
    assert main(["--unit", "0.1", path]) == 0
    assert capsys.readouterr().out.startswith("unit 0.1  NNR_TPL  bytes 15..20 (6 bytes)\n")


def test_a_reading_changes_how_a_stream_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--unit", "2", "--reading", "byte-string=string", PLAIN]) == 0
    assert 'topology_data                      st(v)       ""' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("digits", "code", "shown"),
    [
        ("00040200", 0, "0 errors"),
        ("0004020000", 1, "unit_size_truncated"),
        ("0004020100090681804000", 1, "unit_exceeds_stream"),
        ("0000", 1, "unit_size_too_small"),
        ("", 1, "stream_empty"),
        ("0007 16 08 61 00 ff".replace(" ", ""), 1, "error"),
        ("0007 16 11 61 00 02".replace(" ", ""), 3, "parameters_out_of_band"),
    ],
)
def test_exit_codes_follow_what_was_found(
    digits: str, code: int, shown: str, written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([written(digits)]) == code
    assert shown in capsys.readouterr().out


def test_one_wrong_stream_among_several_decides(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([PLAIN, written("0000"), PLAIN]) == 1
    assert capsys.readouterr().out.count("59 bytes, 5 units, 0 errors") == 2


def test_dimensions_from_outside_are_taken_from_a_file(
    written: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = tmp_path / "beside.json"
    beside.write_text('{"a": {"tensor_dimensions": [3]}}')
    stream = written("0007 16 11 61 00 02")
    assert main(["--out-of-band", str(beside), stream]) == 0
    assert "[3]" in capsys.readouterr().out


def test_names_in_a_stream_cannot_command_the_terminal(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    main([written("000d 16 01 1b5b33316d c29b ff 00")])
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\x9b" not in printed
    assert r"\u001b[31m\u009b\udcff" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.nnr"], ["missing.nnr", "No such file"]),
        (["."], ["directory"]),
        ([], ["no STREAM"]),
        (["--unit", "9", PLAIN], ["no unit 9", "units found: 5"]),
        (["--reading", "map-count", PLAIN], ["ID=NAME"]),
        (["--reading", "map-count=none", PLAIN], ["minus-one"]),
        (["--syntax", "code_book"], ["did you mean codebook"]),
        (["--syntax", "performance"], ["sparsification_performance_map"]),
        (["--syntax", "qqq"], ["known:", "nnr_unit_header"]),
        (["--syntax", "codebook", PLAIN], ["no stream"]),
        (["--element", "scan_oder"], ["no syntax element 'scan_oder'", "did you mean scan_order"]),
        (["--element", "qqq"], ["no syntax element 'qqq'"]),
        (["--element", ""], ["no syntax element"]),
        (["--element", "scan_order", PLAIN], ["no stream"]),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("nnr-explain: ")
    assert all(word in error for word in words)


def test_the_syntax_of_one_structure_is_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--syntax", "nnr_unit_size"]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "nnr_unit_size( ) {",
        "    nnr_unit_size_flag  u(1)",
        "    nnr_unit_size       u(15 + 16 * nnr_unit_size_flag)",
        "}",
    ]


def test_the_syntax_without_a_name_is_all_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--syntax"]) == 0
    printed = capsys.readouterr().out
    assert all(f"\n{name}( " in printed for name in structures())


def test_an_element_is_explained_with_meaning_range_inference_requirements_and_evidence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--element", "scan_order"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "scan_order  u(4)",
        "  in            nnr_compressed_data_unit_header",
        "  meaning       Order in which the weights are coded. 0 is row by row, 1..4 are",
        "                blocks of 8, 16, 32 or 64 rows and columns; a vector, a single",
        "                row or a single column is always coded in order.",
        "  range         0..4; 5..15 reserved",
        "  inferred      0 when the tensor has fewer than two dimensions",
        "  requirements  R-NDU-23, R-NDU-26, R-NDU-27, R-NDU-28, R-NDU-29, R-NDU-30",
        "  evidence      P1,P2; confidence high",
    ]


def test_an_element_can_be_named_as_in_the_listing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--element", "tensor_dimensions[0]"]) == 0
    assert capsys.readouterr().out.startswith("tensor_dimensions  ue(7)\n")


def test_an_element_tells_readings_and_values_from_outside_and_names_of_our_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--element", "topology_data"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("topology_data  bs(v) or st(v)\n")
    assert "  readings      byte-string, container-compression, deflate-wrapper\n" in printed
    assert main(["--element", "tensor_dimensions"]) == 0
    assert "  inferred      nothing; can be given out of band\n" in capsys.readouterr().out
    assert main(["--element", "terminate_bin"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("terminate_bin  at(v)  (name is ours)\n")
    assert "inside the entropy-coded" in printed


def test_no_line_about_an_element_is_wider_than_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    for name in all_semantics():
        assert main(["--element", name]) == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_end_well(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main([option])
    assert leaving.value.code == 0
    assert "nnr-explain" in capsys.readouterr().out


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    long = tmp_path / "long.nnr"
    long.write_bytes(bytes.fromhex("00040200") * 3000)
    process = subprocess.Popen([*COMMAND, str(long)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=30) in (0, 141)
    process.stderr.close()


def test_a_terminal_without_the_letters_of_a_name_gets_escapes(written: Written) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(
        [*COMMAND, written("0007 16 01 c3a9 00")], env=environment, capture_output=True, timeout=30, check=False
    )
    assert b"Traceback" not in run.stderr
    assert rb'"\xe9"' in run.stdout


def test_a_large_payload_is_not_expanded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = 1 << 21
    path = tmp_path / "large.nnr"
    path.write_bytes(((1 << 31) | size).to_bytes(4, "big") + bytes.fromhex("0e0000") + bytes(size - 7))
    assert main([str(path)]) == 0
    printed = capsys.readouterr().out
    assert f"payload topology_data bytes 7..{size - 1} ({size - 7} bytes): 00 00 00 00 00 00 00 00 …\n" in printed
    assert len(printed) < 3000
