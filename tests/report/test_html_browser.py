"""HTML reports in a browser: tree, bytes and links follow each other, with mouse and keyboard, without a complaint."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import nnr_conformance
from nnr_conformance.cli.check import main
from nnr_conformance.report.formats import renderer
from nnr_conformance.report.model import Report
from tests.decoder.stream_builder import parameter_set, raw, start, topology
from tests.report.browser import Browser, find_browser
from tests.report.golden import RUN, damaged_report

STREAM = Path(__file__).parents[2] / "bitstreams" / "examples" / "ex3_ed1_block_entrypoints.nnr"
PROGRAM = find_browser()

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed (chromium, google-chrome)")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on a golden stream, as the command writes it."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert main(["--format", "html", "-o", str(path), str(STREAM)]) == 0
    return path


@pytest.fixture(params=["light", "dark"])
def page(running: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A browser with that report, in both schemes of colours; complaints of the page are failures."""
    running.complaints.clear()
    running.look(width=1280, height=900, dark=request.param == "dark")
    running.open(report)
    yield running
    assert running.complaints == []


def marked_bytes(page: Browser) -> list[int]:
    return sorted(page.value("[...document.querySelectorAll('.byte.on')].map(one => Number(one.dataset.at))"))


def marked_bits(page: Browser) -> list[int]:
    return page.value("[...document.querySelectorAll('.bit.on')].map(one => Number(one.dataset.at))")


def selected(page: Browser) -> str:
    """The path of the selected node of the tree; it is one, and the only one that Tab reaches."""
    path, count, stops = page.value(
        "(() => { const items = [...document.querySelectorAll('.tree [aria-selected=true]')];"
        " return [items[0]?.node.path.join(' / '), items.length,"
        " document.querySelectorAll('.tree [tabindex=\"0\"]').length]; })()"
    )
    assert (count, stops) == (1, 1)
    return path


def item(page: Browser, *path: str) -> str:
    """A selector of the row of a node that can be seen, given by the names on the way to it."""
    found = page.value(
        "(() => { let items = [...document.querySelectorAll('.tree > li')]; let item;"
        f" for (const name of {json.dumps(path)}) {{"
        " item = items.find(one => one.node.name === name);"
        " items = [...item.querySelectorAll(':scope > ul > li')]; }"
        " item.dataset.test = String(document.querySelectorAll('[data-test]').length); return item.dataset.test; })()"
    )
    return f"li[data-test='{found}'] > .entry"


def open_way(page: Browser, *path: str) -> None:
    """Click on each node of a path in turn."""
    for depth in range(len(path)):
        page.click(item(page, *path[: depth + 1]))


def rows(page: Browser) -> str:
    """The bytes as the page shows them."""
    return page.value("[...document.querySelectorAll('.byte')].map(one => one.textContent).join('')")


FIND = "((kind, text) => [...document.querySelectorAll(kind)].find(one => one.innerText.trim().startsWith(text)))"
"""The first element of a kind with a text that begins so."""

HEADER = ("unit 3", "nnr_unit_header", "nnr_compressed_data_unit_header")


def test_a_click_on_an_element_marks_its_bits_and_no_others(page: Browser) -> None:
    open_way(page, *HEADER, "bit_offset[0]")
    assert selected(page).endswith("bit_offset[0]")
    assert marked_bits(page) == list(range(971, 983))
    assert marked_bytes(page) == [121, 122]
    shares = page.value("[...document.querySelectorAll('.byte.on')].map(one => one.style.backgroundImage)")
    assert "37.5% 100%" in shares[0].replace("var(--mark) ", "")
    assert "0% 87.5%" in shares[1].replace("var(--mark) ", "")
    card = page.value("document.querySelector('.card').innerText")
    for part in ("bit_offset[0]", "ue(11)", "87", "12 bits: 971 to 982", "R-EP-02"):
        assert part in card


def test_the_syntax_table_marks_the_element_and_its_rows_lead_to_others(page: Browser) -> None:
    open_way(page, *HEADER, "bit_offset[0]")
    assert page.value("document.querySelector('.law [aria-current]').innerText").strip() == "bit_offset[ j ]\tue(11)"
    rows = "[...document.querySelectorAll('.law td:first-child')].map(one => one.innerText)"
    assert page.value(rows)[0] == "nnr_compressed_data_unit_header( ) {"
    page.value(f"{FIND}('.law button', 'scan_order').id = 'row'")
    page.click("#row")
    assert selected(page).endswith("scan_order")
    assert page.value(f"{FIND}('.law tr', 'parameter_id').className") == "absent"


def test_requirements_and_clauses_lead_to_elements_and_back(page: Browser) -> None:
    open_way(page, *HEADER, "bit_offset[0]")
    page.click(".card [aria-label='requirement R-EP-02']")
    card = page.value("document.querySelector('.card').innerText")
    assert "R-EP-02" in card
    assert "elements of this stream" in card
    page.value(f"{FIND}('.places button', 'bit_offset_delta').id = 'place'")
    page.click("#place")
    assert "bit_offset_delta" in selected(page)
    page.click(".requirements li button:last-child")
    assert "Clause 10" in page.value("document.querySelector('.card').innerText")
    page.click(".back button")
    assert "bit_offset_delta" in page.value("document.querySelector('.card .title').innerText")


def test_a_click_on_a_structure_or_a_unit_marks_all_of_it(page: Browser) -> None:
    open_way(page, "unit 1", "nnr_unit_header")
    assert marked_bytes(page) == [6]
    page.click(item(page, "unit 1"))
    assert marked_bytes(page) == list(range(4, 12))


def test_an_inferred_element_marks_nothing_and_says_so(page: Browser) -> None:
    open_way(page, "unit 0", "nnr_unit_header", "partial_data_counter")
    assert marked_bytes(page) == marked_bits(page) == []
    assert "inferred" in page.value("document.querySelector('.card').innerText")


def test_a_click_on_a_byte_selects_the_element_and_again_the_next_in_it(page: Browser) -> None:
    page.click(".byte[data-at='121']")
    assert selected(page).endswith("dq_state[0]")
    assert marked_bits(page) == [968, 969, 970]
    page.click(".byte[data-at='121']")
    assert selected(page).endswith("bit_offset[0]")
    page.click(".byte[data-at='121']")
    assert selected(page).endswith("dq_state[0]")
    page.click(".byte[data-at='100']")
    assert selected(page) == " / ".join((*HEADER, "topology_elements_ids_list", "topology_elem_id_list[5]"))


def test_a_byte_of_the_payload_selects_the_tensor_that_it_is_of(page: Browser) -> None:
    page.click(".byte[data-at='251']")
    assert selected(page) == "unit 3 / nnr_compressed_data_unit_payload / cabac_payload / conv.weight"
    assert marked_bytes(page)[-1] == 251


def test_a_click_on_a_bit_selects_its_element(page: Browser) -> None:
    page.click(".byte[data-at='121']")
    page.click(".bit[data-at='972']")
    assert selected(page).endswith("bit_offset[0]")


def test_what_is_selected_can_be_seen_in_tree_and_bytes(page: Browser) -> None:
    page.click(".byte[data-at='200']")
    for box, part in ((".tree", "[aria-selected=true] > .entry"), (".bytes", ".byte.on")):
        assert page.value(
            f"(() => {{ const outer = document.querySelector({json.dumps(box)}).getBoundingClientRect();"
            f" const inner = document.querySelector({json.dumps(part)}).getBoundingClientRect();"
            " return inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1; })()"
        )


def test_the_tree_is_used_with_the_keyboard(page: Browser) -> None:
    page.value("document.querySelector('.tree > li').focus()")
    page.press("Enter")
    assert selected(page) == "unit 0"
    assert marked_bytes(page) == [0, 1, 2, 3]
    page.press("ArrowRight", "ArrowRight", "ArrowDown")
    assert selected(page) == "unit 0 / nnr_unit_size / nnr_unit_size_flag"
    assert marked_bits(page) == [0]
    page.press("ArrowDown")
    assert marked_bits(page) == list(range(1, 16))
    page.press("ArrowUp", "ArrowLeft", "ArrowLeft")
    assert selected(page) == "unit 0 / nnr_unit_size"
    assert page.value("document.activeElement.node.name") == "nnr_unit_size"
    page.press("End")
    assert selected(page) == "unit 3"
    page.press("Home")
    assert selected(page) == "unit 0"


def test_closing_what_is_around_the_selected_element_selects_what_was_closed(page: Browser) -> None:
    open_way(page, "unit 0", "nnr_unit_size", "nnr_unit_size_flag")
    page.click(item(page, "unit 0").replace(".entry", ".entry > .twist"))
    assert selected(page) == "unit 0"


def test_the_bytes_are_used_with_the_keyboard(page: Browser) -> None:
    page.value("document.querySelector('.bytes').focus()")
    page.press("ArrowRight")
    assert selected(page) == "unit 0 / nnr_unit_size / nnr_unit_size_flag"
    page.press("ArrowDown", "ArrowRight")
    assert selected(page) == "unit 2 / nnr_topology_unit_payload / topology_data"
    assert marked_bytes(page) == [17]
    page.press("ArrowLeft", "Enter")
    assert marked_bytes(page) == [16]
    page.value("document.querySelector('.bytes').focus()")
    page.press("ArrowUp", "Enter")
    assert selected(page) == "unit 0 / nnr_unit_size / nnr_unit_size"


def test_the_bytes_are_shown_bit_by_bit(page: Browser) -> None:
    page.click(".byte[data-at='121']")
    page.click(".mode input")
    assert page.value("document.querySelector('.byte[data-at=\"121\"]').textContent") == "11110000"
    assert marked_bytes(page) == [121]
    # Bit 4 is in the middle of a byte, where a click goes.
    page.click(".byte[data-at='122']")
    assert selected(page).endswith("bit_offset[0]")
    page.click(".byte[data-at='123']")
    assert marked_bits(page) == list(range(983, 991))
    page.value("document.querySelector('.bytes').focus()")
    page.press("ArrowDown")
    assert page.value("explorers.get('0').bytes.cursor") == 127
    for width in (400, 1280):
        page.look(width=width, height=800, dark=False)
        assert page.value(
            "document.querySelector('.bytes').scrollWidth <= document.querySelector('.bytes').clientWidth"
        )
    page.click(".mode input")
    assert page.value("document.querySelector('.byte[data-at=\"121\"]').textContent") == "f0"


def test_the_page_has_every_byte_of_the_stream(page: Browser) -> None:
    assert rows(page) == STREAM.read_bytes().hex()


def test_the_tree_has_every_element(page: Browser) -> None:
    page.value("document.querySelector('.tree > li').focus()")
    page.press("Home")
    for _ in range(200):
        page.press("ArrowRight", "ArrowDown")
        if selected(page).endswith("cabac_payload / conv.weight"):
            break
    sizes = page.value(
        "[...document.querySelectorAll('.tree li')].map(one => one.node)"
        ".filter(node => node.kind === 'element').map(node => node.end - node.first)"
    )
    assert sum(sizes) == 8 * STREAM.stat().st_size


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (400, 800)])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_window(page: Browser, width: int, height: int, dark: bool) -> None:
    page.look(width=width, height=height, dark=dark)
    page.click(".byte[data-at='121']")
    assert page.value("document.documentElement.scrollWidth") <= width
    for box in (".tree", ".bytes", ".card"):
        assert page.value(f"document.querySelector('{box}').scrollWidth <= document.querySelector('{box}').clientWidth")
    columns = page.value("explorers.get('0').bytes.columns")
    assert columns == (16 if width > 1000 else 8)


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast_in_both_schemes(page: Browser, dark: bool) -> None:
    page.look(width=1280, height=900, dark=dark)
    page.click(".byte[data-at='121']")
    for selector in (".soft", ".entry .name", ".entry .meaning", ".byte.on", ".bit.on", ".letters", ".badge", "a"):
        ink, paper = page.value(COLOURS % json.dumps(selector))
        assert contrast(ink, paper) >= 4.5, selector


COLOURS = """(() => {
  let one = document.querySelector(%s);
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const ink = parts(getComputedStyle(one).color);
  let paper = parts(getComputedStyle(one).backgroundColor);
  while (paper.length === 4 && paper[3] === 0 && (one = one.parentElement))
    paper = parts(getComputedStyle(one).backgroundColor);
  return [ink, paper];
})()"""


def contrast(ink: list[float], paper: list[float]) -> float:
    """Contrast ratio of two colours, as the guidelines for accessible content define it."""

    def light(colour: list[float]) -> float:
        parts = [part / 255 for part in colour[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(ink), light(paper)))
    return (high + 0.05) / (low + 0.05)


@contextlib.contextmanager
def opened(browser: Browser, path: Path, made: Report, fragment: str = "") -> Iterator[Browser]:
    path.write_text("\n".join(renderer("html")(made, RUN)), encoding="utf-8")
    browser.complaints.clear()
    browser.look(width=1280, height=900, dark=False)
    browser.open(path, fragment)
    yield browser
    assert browser.complaints == []


def test_a_finding_leads_to_its_bits(running: Browser, tmp_path: Path) -> None:
    with opened(running, tmp_path / "damaged.html", damaged_report()) as page:
        assert page.value("document.querySelectorAll('details.explorer[open]').length") == 0
        page.click("a[href='#bits-0-1631-1632']")
        aggregate, enclosed = selected(page).split(" / unit 3.1 / ")
        assert aggregate == "unit 3 / nnr_aggregate_unit_payload / nnr_units"
        assert enclosed == "nnr_compressed_data_unit_payload / cabac_payload"
        assert marked_bits(page) == [1631]
        assert marked_bytes(page) == [203]
        assert page.value("document.querySelector('.byte.on').classList.contains('found-error')")
        page.click(".byte[data-at='0']")
        page.click("a[href='#bits-0-1631-1632']")
        assert marked_bits(page) == [1631]


def test_an_address_with_bits_leads_to_them(running: Browser, tmp_path: Path) -> None:
    with opened(running, tmp_path / "damaged.html", damaged_report(), "#bits-1-0-1") as page:
        assert page.value("document.querySelector('details.explorer[open]').dataset.stream") == "1"
        assert selected(page) == "unit 0 / nnr_unit_size / nnr_unit_size_flag"


def many_units(details: int) -> Report:
    stream = start() + parameter_set() + 600 * topology(0, {"topology_data": b""})
    return nnr_conformance.check(stream, names=["many.nnr"], details=details)


def test_many_units_are_in_runs_that_open_where_something_is_selected(running: Browser, tmp_path: Path) -> None:
    with opened(running, tmp_path / "many.html", many_units(20_000)) as page:
        assert page.value("[...document.querySelectorAll('.tree > li')].map(one => one.node.name)") == [
            "unit 0 to unit 249",
            "unit 250 to unit 499",
            "unit 500 to unit 601",
        ]
        page.value("location.hash = '#bits-0-14416-14417'; new Promise(done => onhashchange = () => done(0))")
        assert selected(page) == "unit 360 / nnr_unit_size / nnr_unit_size_flag"
        assert page.value("document.querySelectorAll('.tree li').length") < 300
        assert page.value("document.querySelectorAll('.byte').length") < 1000


def test_of_a_long_stream_all_headers_are_in_the_tree(running: Browser, tmp_path: Path) -> None:
    stream = start() + parameter_set() + b"".join(raw(f"w{number}", np.arange(10_000.0)) for number in range(4))
    long = nnr_conformance.check(stream, names=["long.nnr"], details=20_000)
    with opened(running, tmp_path / "long.html", long) as page:
        shown = page.value("[...document.querySelectorAll('.tree > li')].map(one => one.node.meaning)")
        assert shown == ["", "", "w0", "w1", "w2", "w3"]
        open_way(page, "unit 5", "nnr_compressed_data_unit_payload", "raw_float32_parameter")
        assert "40\u202f000 bytes" in page.value("document.querySelector('.card').innerText")
        assert "not in this page" in page.value("document.querySelector('.bytes').innerText")


def test_bits_that_are_not_in_the_tree_are_shown_without_it(running: Browser, tmp_path: Path) -> None:
    stream = start() + parameter_set() + 600 * topology(0, {"topology_data": bytes(200)})
    cut = nnr_conformance.check(stream, names=["many.nnr"], details=50)
    with opened(running, tmp_path / "many.html", cut, "#bits-0-800000-800003") as page:
        assert "what follows is not in this page" in page.value("explorers.get('0').explorer.tree.roots.at(-1).name")
        assert "not in the tree" in page.value("document.querySelector('.card').textContent")
        assert marked_bits(page) == []
        assert "not in this page" in page.value("document.querySelector('.line.on .missing').textContent")


@pytest.mark.parametrize("fragment", ["#bits-0-99999999999-99999999999", "#bits-9-0-1", "#bits-0-8-0", "#bits-x"])
def test_an_address_that_leads_nowhere_does_no_harm(running: Browser, tmp_path: Path, fragment: str) -> None:
    with opened(running, tmp_path / "damaged.html", damaged_report(), fragment) as page:
        assert page.value("document.title").startswith("nnr-check")


def test_markup_in_a_stream_does_nothing_in_a_browser(running: Browser, tmp_path: Path) -> None:
    with opened(running, tmp_path / "damaged.html", damaged_report(), "#bits-0-280-281") as page:
        assert "<b>&\"'" in page.value("document.querySelector('details.explorer').textContent")
        assert page.value("document.querySelectorAll('b').length") == 0
