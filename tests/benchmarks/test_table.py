"""The table: what is met, and that text, Markdown, JSON and picture say the same."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.__main__ import main
from benchmarks.picture import picture
from benchmarks.repetition import Ratio
from benchmarks.table import Results, Row, Target, as_markdown, as_text, significant

SVG = "{http://www.w3.org/2000/svg}"
ROWS = (
    Row.compared("one", "faster", "ms", 12.34, 56.78, Ratio(4.6, 4.5, 4.7), Target(">=", 3.5, "ratio")),
    Row.compared("one", "slower | odd <name>", "ms", 1.0, 0.5, Ratio(0.5, 0.4, 0.6), Target(">=", 2, "ratio")),
    Row.compared("two", "without NNCodec", "ms", 1.0, None, None, Target(">=", 2, "ratio")),
    Row("two", "small enough", "MB", 200, target=Target("<=", 250)),
    Row("two", "promised nothing", "Mw/s", 123456.7),
)
RESULTS = Results({"processor": "a machine", "nncodec": "2.1.3"}, ROWS)


def test_a_target_is_of_the_ratio_or_of_the_figure_and_nothing_without_one_is_met() -> None:
    assert [row.met for row in ROWS] == [True, False, None, True, None]
    assert "2 of 3 targets met." in as_text(RESULTS)


@pytest.mark.parametrize(("figure", "met"), [(2.0, True), (2.01, False), (1.99, True)])
def test_a_bound_itself_is_met(figure: float, met: bool) -> None:
    assert Row("one", "figure", "s", figure, target=Target("<=", 2.0)).met is met
    assert Row("one", "figure", "s", -figure, target=Target(">=", -2.0)).met is met


def test_json_keeps_everything() -> None:
    assert Results.from_json(RESULTS.to_json()) == RESULTS


def test_all_forms_of_the_table_have_the_same_cells() -> None:
    text, markdown = as_text(RESULTS), as_markdown(RESULTS)
    found = json.loads(RESULTS.to_json())["rows"]
    assert [row["met"] for row in found] == [row.met for row in ROWS]
    for row in Results.from_json(RESULTS.to_json()).rows:
        assert all(cell in text for cell in row.cells())
        assert f"| {' | '.join(cell.replace('|', '/') for cell in row.cells())} |" in markdown


def test_a_missing_peer_is_a_dash() -> None:
    assert ROWS[3].cells()[3:] == ("-", "-", "-", "<= 250", "yes")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.012345, "0.0123"), (1.5, "1.50"), (56.78, "56.8"), (999.9, "1000"), (123456.7, "123000")],
)
def test_numbers_have_three_digits_and_no_exponent(value: float, text: str) -> None:
    assert significant(value) == text


def test_the_picture_has_a_bar_for_each_ratio_with_its_cells() -> None:
    document = ElementTree.fromstring(picture(RESULTS))
    bars = [rect for rect in document.iter(f"{SVG}rect") if rect.get("class") != "ground"]
    assert [bar.get("class") for bar in bars] == ["met", "missed"]
    assert [bar.findtext(f"{SVG}title") for bar in bars] == [" · ".join(row.cells()) for row in ROWS[:2]]
    lefts = [float(str(bar.get("x"))) for bar in bars]
    assert lefts[1] < lefts[0], "what is slower grows to the left of one"


def test_a_picture_of_nothing_is_still_one() -> None:
    assert ElementTree.fromstring(picture(Results({}, ()))).tag == f"{SVG}svg"


def test_saved_results_are_shown_again_and_chosen_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved, drawn, again = tmp_path / "saved.json", tmp_path / "drawn.svg", tmp_path / "again.json"
    rows = tuple(Row("units", f"row {number}", "s", number) for number in range(2))
    saved.write_text(Results({}, (*rows, Row("scale", "another", "s", 1.0))).to_json(), encoding="utf-8")
    arguments = ["--from", str(saved), "--only", "units", "--svg", str(drawn), "--save", str(again)]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "row 1" in shown
    assert "another" not in shown
    assert Results.from_json(again.read_text(encoding="utf-8")).rows == rows
    assert ElementTree.fromstring(drawn.read_text(encoding="utf-8")).tag == f"{SVG}svg"
