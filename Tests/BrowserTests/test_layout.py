"""Where things stand: what is above the fold, what a phone shows, and that nothing moves."""

import re

import pytest
from playwright.sync_api import expect

from visitor import cards, chip_name, close, search_sample, searching, text_field


# Adds up by how much of the window things move by themselves.
SHIFTS = """window.shift = 0;
new PerformanceObserver(list => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value; })
  .observe({type: 'layout-shift', buffered: true});"""


def top(locator):
    return locator.bounding_box()["y"]


def test_filters_stand_above_the_fold_and_scroll_nowhere_inside(look, site):
    page = look(site, width=1280, height=800)
    filters = page.get_by_role("region", name="Filters")
    filters.get_by_role("button", name="Category").wait_for()
    assert top(filters) < 760
    search_sample(page)
    assert top(filters) < 250
    assert top(cards(page).first) < 400
    inner = page.evaluate("[...document.querySelectorAll('.desk, .desk *')].filter(e => e.scrollHeight > e.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(e).overflowY)).length")
    assert inner == 0


def test_a_phone_shows_samples_first_and_results_soon(look, site):
    page = look(site, width=360, height=740, has_touch=True)
    page.get_by_role("button", name="Search with the sample").first.wait_for()
    assert top(page.get_by_role("button", name="Search with the sample").first) < 600
    search_sample(page)
    assert top(cards(page).first) < 520


def test_a_phones_filters_are_a_sheet_that_tells_how_many_it_leaves(look, site, api):
    page = look(site, width=360, height=740, has_touch=True)
    search_sample(page)
    before = top(cards(page).first)
    page.get_by_role("button", name="Filters").tap()
    sheet = page.get_by_role("dialog", name="Filters")
    total = api.get("products?limit=1")["total"]
    expect(sheet.get_by_role("button", name=f"Show {total} garments")).to_be_visible()
    category = api.facet("category")
    left = api.get(f"products?limit=1&filter=category:{category}")["total"]
    with searching(page):
        sheet.get_by_role("group", name="Category").get_by_role("button", name=chip_name(category)).tap()
    show = sheet.get_by_role("button", name=re.compile(f"^Show {left} garments?$"))
    expect(show).to_be_visible()
    # The sheet ends at the window's end, and its button with it.
    box = show.bounding_box()
    assert box["y"] + box["height"] <= 740
    show.tap()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Filters · 1")).to_be_focused()
    # What is chosen takes a line of its own; the garments stay in sight.
    assert top(cards(page).first) - before < 120
    expect(cards(page).first.locator("img")).to_be_in_viewport()


def test_nothing_moves_when_samples_and_garments_arrive(look, site):
    page = look(site, width=1280, height=800)
    page.add_init_script(SHIFTS)
    page.reload()
    page.get_by_role("button", name="Search with the sample").first.wait_for()
    expect(cards(page).first.locator("img")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shift") < 0.02


@pytest.mark.parametrize("width", [360, 1280])
def test_what_the_catalogue_is_stands_on_the_first_screen_and_moves_nothing(look, site, api, width):
    page = look(site, width=width, height=800)
    samples = {"samples": api.samples(), "about": "Sixty garments that a program has drawn, searched by small models of this project."}
    page.route("**/api/v1/samples", lambda route: route.fulfill(json=samples))
    page.add_init_script(SHIFTS)
    page.reload()
    expect(page.get_by_text(samples["about"])).to_be_visible()
    page.get_by_role("button", name="Search with the sample").first.wait_for()
    expect(cards(page).first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shift") < 0.02


def test_samples_come_in_a_fitting_width(page):
    picture = page.get_by_role("button", name="Search with the sample").first.locator("img")
    assert "w=320" in picture.get_attribute("src")
    assert picture.evaluate("async image => { await image.decode(); return new URL(image.currentSrc).searchParams.get('w'); }") in ("160", "320")


def test_cards_tell_ids_and_whole_titles_and_categories_without_what_all_share(page, api):
    answer = search_sample(page)
    for card, result in zip(cards(page).all(), answer["results"]):
        expect(card.locator(".score")).to_contain_text(result["product"]["id"])
        heading = card.get_by_role("heading")
        assert heading.evaluate("heading => heading.scrollHeight <= heading.clientHeight + 1")
    categories = [facet["value"] for facet in api.get("products?limit=1")["facets"]["category"]]
    shared = {category.split("/")[0] for category in categories}
    page.get_by_role("region", name="Filters").get_by_role("button", name="Category").click()
    # Without the one that shows more of them.
    told = page.locator(".panel .chip[aria-pressed]").all_inner_texts()
    assert told and all(any(text.startswith(begin) for begin in shared) == (len(shared) > 1) for text in told)


def test_how_much_of_the_catalogue_is_shown_is_told(page, api):
    total = api.get("products?limit=1")["total"]
    expect(page.get_by_text(f"{min(24, total)} of {total}", exact=True)).to_be_visible()


def test_swatches_look_like_cloth(page):
    page.get_by_role("region", name="Filters").get_by_role("button", name="Colour").click()
    found = dict(
        page.evaluate(
            """() => [...document.querySelectorAll('.panel .chip[aria-pressed]')].map(chip => {
                 const swatch = chip.querySelector('.swatch');
                 return [chip.innerText.trim().split(/\\s/)[0], swatch && getComputedStyle(swatch).backgroundColor];
               })"""
        )
    )
    assert found["brown"] == "rgb(107, 70, 48)" and found["navy"] == "rgb(31, 42, 68)"
    assert None not in found.values()


@pytest.mark.parametrize("height", [620, 800])
def test_the_query_fits_into_a_low_window(look, site, height):
    page = look(site, width=1280, height=height)
    search_sample(page)
    expect(text_field(page)).to_be_in_viewport()


def test_the_page_is_light(site, api):
    import gzip

    index = api.bytes("").decode()
    names = re.findall(r'(?:src|href)="(app[^"]+)"', index)
    assert len(names) == 2
    assert sum(len(gzip.compress(api.bytes(name), 9)) for name in names) < 120_000


def test_a_sheet_gives_the_focus_back(page):
    button = page.get_by_role("button", name="Model:")
    button.click()
    close(page)
    expect(button).to_be_focused()
