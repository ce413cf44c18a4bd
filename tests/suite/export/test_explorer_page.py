"""The page of all golden streams, and of files: found, chosen, dropped, damaged, read otherwise, without a network."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnr_conformance.bits import BitWriter
from nnr_conformance.cli.explain import main as explain
from nnr_conformance.cli.suite import main as suite
from nnr_conformance.data import data_path
from nnr_conformance.report.html_explorer import ShownStream, streams_page
from nnr_conformance.suite.coverage.samples import stream_files
from nnr_conformance.suite.export.golden_streams import golden_streams
from tests.report.browser import Browser, find_browser
from tests.report.test_html_browser import COLOURS, contrast

PROGRAM = find_browser()
BITSTREAMS = data_path("bitstreams")
STREAM = BITSTREAMS / "examples" / "ex3_ed1_block_entrypoints.nnr"

SELECTORS = (
    *(".summary", ".purpose", ".findings .link", ".findings .soft", ".law .link", ".law tr[aria-current]"),
    *(".absent td", ".finding code", ".requirements .link", "select", "input"),
)
"""What has a colour of its own."""

START = STREAM.read_bytes()[:12]


def long_unit(content: bytes) -> bytes:
    """A unit in the long form."""
    return (0x80000000 | (4 + len(content))).to_bytes(4, "big") + content


def codebook(size: int) -> bytes:
    """A unit of compressed data with a codebook of so many entries of one bit each."""
    writer = BitWriter()
    writer.aligned_bytes(b"\x16\x08a\x00")
    writer.bits(0b1_0000, 5)
    writer.exp_golomb(size, 2)
    writer.exp_golomb(0, 2)
    writer.exp_golomb(0, 7)
    left = -writer.position % 8
    writer.bits((1 << left) - 1, left)
    return long_unit(writer.getvalue() + b"\xff" * (size // 8))


def names(count: int) -> bytes:
    """A reference list of so many empty names."""
    writer = BitWriter()
    writer.aligned_bytes(b"\x0e\x06\x00")
    writer.exp_golomb(count - 2, 7)
    left = 8 - writer.position % 8
    writer.bits(1 << (left - 1), left)
    return long_unit(writer.getvalue() + bytes(count))


MANY = {
    "codebook": START + codebook(4_000_000),
    "list": START + names(1_000_000),
    "units": START + b"\x00\x06\x0e\x01\x00\x00" * 60_000,
}
"""Files with more elements than a page shows."""

needs_browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed (chromium, google-chrome)")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    assert suite(["export", "--explorer", "-o", str(path)]) == 0
    return path


@pytest.fixture(params=["light", "dark"])
def page(running: Browser, golden: Path, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A browser with the page of golden streams; complaints of the page are failures."""
    running.complaints.clear()
    running.look(width=1280, height=900, dark=request.param == "dark")
    running.open(golden)
    yield running
    assert running.complaints == []


def text(page: Browser, selector: str) -> str:
    return str(page.value(f"document.querySelector({json.dumps(selector)}).innerText"))


def choose(page: Browser, name: str) -> None:
    """Look for a stream and choose it with Enter."""
    page.value("document.querySelector('.filter').focus()")
    page.value(
        f"document.querySelector('.filter').value = {json.dumps(name)};"
        "document.querySelector('.filter').dispatchEvent(new Event('input'))"
    )
    page.press("Enter")


def drop(page: Browser, name: str, content: bytes) -> None:
    """Drop a file on the page."""
    encoded = b64encode(content).decode()
    page.value(
        f"""(async () => {{
          const data = new DataTransfer();
          const bytes = Uint8Array.from(atob({json.dumps(encoded)}), (letter) => letter.charCodeAt(0));
          data.items.add(new File([bytes], {json.dumps(name)}));
          const panes = document.querySelector('.panes');
          panes.dispatchEvent(new DragEvent('dragover', {{ bubbles: true, dataTransfer: data, cancelable: true }}));
          panes.dispatchEvent(new DragEvent('drop', {{ bubbles: true, dataTransfer: data, cancelable: true }}));
          while (document.querySelector('h2.name').textContent !== {json.dumps(name)})
            await new Promise((done) => setTimeout(done, 10));
        }})()"""
    )


def test_every_stored_stream_is_on_the_page_with_its_bytes_and_what_it_is_for() -> None:
    streams = golden_streams()
    assert [BITSTREAMS / one.name for one in streams] == stream_files([])
    assert all(one.pieces == ((0, (BITSTREAMS / one.name).read_bytes()),) for one in streams)
    assert sum(bool(one.purpose) for one in streams) >= 1340
    (told,) = [one for one in streams if one.name.endswith("8-map-count-02.nnr")]
    assert told.readings


@needs_browser
def test_a_stream_is_found_and_chosen(page: Browser) -> None:
    assert page.value("document.querySelectorAll('.choice option').length") == len(golden_streams())
    choose(page, "ex3_ed1 entrypoints")
    assert text(page, "h2.name") == "examples/ex3_ed1_block_entrypoints.nnr"
    assert text(page, ".summary") == "252 bytes, 4 units, 0 findings in framing and syntax."
    assert text(page, ".count") == "1 stream"
    shown = page.value("[...document.querySelectorAll('.byte')].map(one => one.textContent).join('')")
    assert shown == STREAM.read_bytes().hex()
    choose(page, "no such stream anywhere")
    assert text(page, ".count") == "0 streams"
    assert text(page, "h2.name") == "examples/ex3_ed1_block_entrypoints.nnr"


@needs_browser
def test_a_file_that_is_dropped_is_shown(page: Browser) -> None:
    drop(page, "mine.nnr", STREAM.read_bytes())
    assert "4 units, 0 findings" in text(page, ".summary")
    assert "sent nowhere" in text(page, ".purpose")
    drop(page, "mine.nnr (2)", b"")
    assert "0 bytes, 0 units, 1 finding" in text(page, ".summary")


@needs_browser
def test_a_broken_file_is_shown_up_to_the_fault_and_its_findings_lead_to_bits(page: Browser) -> None:
    broken = bytearray(STREAM.read_bytes())
    broken[11] ^= 0x80
    cut = bytes(broken[:150])
    drop(page, "cut.nnr", cut)
    assert text(page, ".findings summary") == "Findings of framing and syntax"
    assert "unit_exceeds_stream" in text(page, ".findings ul")
    assert page.value("document.querySelector('.tree > li:last-child').node.value") == "NNR_NDU"
    page.click(".findings button")
    assert page.value("document.querySelectorAll('.byte.on').length") > 0
    assert text(page, ".card .finding").startswith("alignment_bits")
    for name, content in [("noise", bytes(range(256)) * 40), ("zeros", bytes(5000)), ("ones", b"\xff" * 5000)]:
        drop(page, name, content)
        assert "finding" in text(page, ".summary")
        page.click(".byte")
        assert text(page, ".card .title")


@needs_browser
def test_another_reading_reads_the_stream_otherwise(page: Browser) -> None:
    choose(page, "8-map-count-01.nnr")
    before = text(page, ".summary")
    assert "0 findings" in before
    page.value(
        "(() => { const one = document.querySelector('.readings select[name=map-count]');"
        " one.value = [...one.options].map(o => o.value).find(v => v !== one.value);"
        " one.dispatchEvent(new Event('change', { bubbles: true })); })()"
    )
    assert text(page, ".summary") != before


@needs_browser
def test_an_address_names_stream_and_bits(running: Browser, golden: Path) -> None:
    running.complaints.clear()
    running.open(golden, "#stream=examples/ex3_ed1_block_entrypoints.nnr&bits=971-983")
    assert text(running, ".card .title .name") == "bit_offset[0]"
    running.value(
        "location.hash = '#stream=examples/ex1_ed1_plain.nnr';"
        "new Promise(done => addEventListener('hashchange', () => done(0)))"
    )
    assert text(running, "h2.name") == "examples/ex1_ed1_plain.nnr"
    for nowhere in ("#stream=no/such", "#bits-0-1-2", "#stream=&bits=9-1", "#%%%"):
        running.open(golden, nowhere)
        assert text(running, "h2.name")
    assert running.complaints == []


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 400, 900, 1400])
def test_nothing_is_wider_than_the_window(running: Browser, golden: Path, width: int, dark: bool) -> None:
    running.look(width=width, height=800, dark=dark)
    running.open(golden, "#stream=requirements/6/reserved-type-02.nnr")
    choose(running, "8-performance-map")
    running.click(".byte[data-at='20']")
    assert running.value("document.documentElement.scrollWidth") <= width
    assert running.value("document.querySelector('.card').scrollWidth <= document.querySelector('.card').clientWidth")


@needs_browser
def test_the_page_is_used_with_the_keyboard(page: Browser) -> None:
    choose(page, "6-aggregate-count-02")
    page.value("document.querySelector('.findings button').focus()")
    page.press("Enter")
    assert text(page, ".card .title .name") == "num_of_nnr_units_minus2"
    assert page.value("document.activeElement.className") == "bytes"
    page.press("Tab", "Enter")
    assert "elements of this stream" in text(page, ".card")
    page.press("Tab", "Enter")
    assert text(page, ".card .title .name") == "num_of_nnr_units_minus2"
    page.press("Tab", "Tab", "Tab", "Enter")
    assert text(page, ".card .title .name") == "Clause 6"


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast_in_both_schemes(running: Browser, golden: Path, dark: bool) -> None:
    running.look(width=1280, height=900, dark=dark)
    running.open(golden, "#stream=requirements/6/6-aggregate-count-02.nnr&bits=120-136")
    for selector in (
        ".summary",
        ".purpose",
        ".findings .link",
        ".findings .soft",
        ".law .link",
        ".law tr[aria-current]",
        ".absent td",
        ".finding code",
        ".requirements .link",
        "select",
        "input",
    ):
        ink, paper = running.value(COLOURS % json.dumps(selector))
        assert contrast(ink, paper) >= 4.5, selector


@needs_browser
@pytest.mark.parametrize("name", ["codebook", "list", "units"])
def test_a_file_of_too_many_elements_is_shown_as_far_as_it_goes_in_little_time(page: Browser, name: str) -> None:
    drop(page, f"{name}.nnr", MANY[name])
    assert "shown" in text(page, ".summary")
    page.value("document.querySelector('.tree > li').focus()")
    page.press("End")
    assert "nnr-explain lists all" in text(page, ".card .title")
    assert page.value("performance.now()") < 60_000


@needs_browser
def test_the_page_of_nnr_explain_asks_nothing_of_a_network(running: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    assert explain([str(STREAM), "--html", str(path)]) == 0
    running.complaints.clear()
    running.open(path)
    assert text(running, "h2.name") == str(STREAM)
    running.click(".byte[data-at='121']")
    assert text(running, ".card .title .name") == "dq_state[0]"
    loaded = running.value("performance.getEntriesByType('resource').length")
    assert loaded == 0
    assert running.value("fetch('http://127.0.0.1:9/').then(() => 'asked', () => 'refused')") == "refused"
    assert any("Content Security Policy" in said for said in running.complaints)


@needs_browser
def test_a_page_among_those_of_the_specification_links_to_them(running: Browser, tmp_path: Path) -> None:
    links = {
        "elements": {"dq_state": "e.html#el-dq_state"},
        "requirements": {"R-EP-04": "r.html#R-EP-04"},
        "structures": {"nnr_unit_size": "s.html#size"},
    }
    path = tmp_path / "page.html"
    shown = ShownStream("a.nnr", STREAM.stat().st_size, ((0, STREAM.read_bytes()),))
    path.write_text("\n".join(streams_page("t", [shown], links)), encoding="utf-8")
    running.complaints.clear()
    running.open(path)
    link = "document.querySelector('.card a.page')?.getAttribute('href')"
    running.click(".byte[data-at='121']")
    assert running.value(link) == "e.html#el-dq_state"
    running.click(".card [aria-label='requirement R-EP-04']")
    assert running.value(link) == "r.html#R-EP-04"
    running.value("viewers[0].explorer.select(viewers[0].explorer.tree.roots[0].children[0])")
    assert running.value(link) == "s.html#size"
    running.value("viewers[0].explorer.select(viewers[0].explorer.tree.roots[0])")
    assert running.value(link) is None
    assert running.complaints == []


def test_nnr_explain_says_by_its_exit_code_what_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    cut = tmp_path / "cut.nnr"
    cut.write_bytes(STREAM.read_bytes()[:100])
    assert explain([str(cut), str(STREAM), "--html", str(page)]) == 1
    assert str(cut) in page.read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""
    assert explain([str(cut), "--html", str(cut)]) == 2
    assert explain([str(cut), "--html", str(page), "--unit", "1"]) == 2
    assert explain([str(cut), "--html", str(tmp_path / "no" / "page.html")]) == 2
    assert cut.stat().st_size == 100


def test_of_a_large_stream_the_page_has_a_part(tmp_path: Path) -> None:
    large, page = tmp_path / "large.nnr", tmp_path / "page.html"
    size = 5_000_000
    unit = (0x80000000 | size).to_bytes(4, "big") + b"\x0e\x01\x00" + bytes(size - 7)
    large.write_bytes(STREAM.read_bytes()[:12] + unit)
    assert explain([str(large), "--html", str(page)]) in {0, 1}
    assert page.stat().st_size < 1_000_000
