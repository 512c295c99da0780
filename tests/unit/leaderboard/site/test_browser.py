"""The page in headless Chromium, without a network."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from benchbase.data.thumbnails import picture_address
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.site.examples import Examples, Picture
from benchbase.leaderboard.site.page import LARGEST_BYTES, board_page
from tests.needs import need
from tests.unit.leaderboard.site.hostile import hostile_board

pytestmark = pytest.mark.slow
DRAWN = "() => [...document.querySelectorAll('.chart')].every((one) => one.dataset.drawn)"


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium")
    need("chromium", there=chromium is not None)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("site") / "board.html"
    picture = Picture(picture_address(np.full((1, 8, 8), 9, np.uint8)), "<b>edge</b>", "an edge", 9)
    shown = Examples("<b>data</b>", "CC0", 28.3, (picture,), "", ())
    board, records = hostile_board()
    text = board_page(build(board, records), records, examples=[shown])
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(params=["light", "dark"])
def opened(request, browser, file):
    """Open the page; give it and what it asked for or complained of."""
    context = browser.new_context(offline=True, color_scheme=request.param)
    page, heard = context.new_page(), []
    page.on("request", lambda asked: heard.append(asked.url))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda said: heard.append(said.text) if said.type == "error" else None)
    page.goto(file.as_uri())
    page.wait_for_function(DRAWN, timeout=60_000)
    heard.remove(file.as_uri())
    yield page, heard
    context.close()


def first_column(page):
    return page.locator(".pool:not([hidden]) tbody tr td:nth-child(2)").all_inner_texts()


def test_the_page_is_small_enough_to_send(file):
    assert file.stat().st_size < LARGEST_BYTES


def test_printed_it_is_dark_on_white_without_controls(opened):
    page, _ = opened
    page.emulate_media(media="print")
    shown = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert shown == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    controls = page.locator(".controls")
    assert controls.count() > 0
    assert not any(controls.nth(at).is_visible() for at in range(controls.count()))


def test_it_draws_sorts_filters_and_tells_where_cells_come_from(opened):
    page, heard = opened
    assert page.evaluate("window.hurt") is None
    assert page.locator(".chart svg").count() == page.locator(".chart").count() >= 6
    assert page.get_by_alt_text("an edge").evaluate("(image) => image.naturalWidth") == 8
    assert page.locator("figcaption").inner_text() == "<b>edge</b>"

    before = first_column(page)
    head = page.locator(".pool:not([hidden]) th", has_text="score")
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert first_column(page) == before[::-1]

    page.select_option("#pool", "unchecked")
    assert "clever" not in first_column(page)
    assert len(first_column(page)) == len(before) - 1
    page.locator("summary").click()
    page.uncheck("input[data-column='2']")
    assert not page.locator(".pool:not([hidden]) th", has_text="score").is_visible()

    page.locator("button.cells").first.click()
    dialog = page.locator("dialog")
    assert dialog.is_visible()
    assert "demo-plugin 1.0" in dialog.inner_text()
    assert heard == []


@pytest.mark.parametrize("width", [400, 1000, 1600])
def test_nothing_is_wider_than_the_window(opened, width):
    page, _ = opened
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(300)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0


# As on a board: a name of usual length, an interval, a row that was replayed.
LINE = (
    *("1-11*", "oracle-weights (control)", "79.8 ± 6.2", "-17.1 ± 4.1 worse"),
    *("-138 % (-314 to -67)", "x 1.86", "noise rate (realised rate), own network (declared)"),
    "recomputed, 3 cells replayed by maintainers (2026-11-27)",
)


def test_the_table_of_methods_is_all_there_at_a_thousand_pixels(opened):
    page, _ = opened
    page.set_viewport_size({"width": 1000, "height": 900})
    table = page.locator(".pool:not([hidden]) .wide")
    cells = table.locator("tbody tr:first-child td:not([hidden]) bdi").all()
    for cell, text in zip(cells, LINE, strict=True):
        cell.evaluate("(cell, text) => { cell.textContent = text; }", text)
    assert table.evaluate("(table) => table.scrollWidth - table.clientWidth") <= 0
    assert cells[-1].bounding_box()["height"] < 60  # three lines
