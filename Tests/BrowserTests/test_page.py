"""The page for everyone: keyboard, small windows, dark colours, assistive technology, base paths; and the product dialog."""

import csv
import re
import urllib.parse

import pytest
from playwright.sync_api import expect

from visitor import assert_accessible, assert_no_sideways_scroll, cards, choose, close, menu, model_panel, search_sample, search_text, searching, sent


def open_dialog(page, at=0):
    cards(page).nth(at).get_by_role("button", name="all pictures and details").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading").first).to_be_visible()
    return dialog


def test_a_product_is_shown_with_all_of_its_pictures_and_attributes(page, api):
    result = search_sample(page)["results"][0]
    product = api.get("products/" + urllib.parse.quote(result["product"]["id"], safe=""))
    dialog = open_dialog(page)
    expect(dialog.get_by_role("heading").first).to_have_text(product.get("title") or "Untitled garment")
    if len(product["images"]) > 1:
        pictures = dialog.get_by_role("list", name="Pictures").get_by_role("button")
        expect(pictures).to_have_count(len(product["images"]))
        before = dialog.locator(".whole img").get_attribute("src")
        other = 1 if pictures.first.get_attribute("aria-pressed") == "true" else 0
        pictures.nth(other).click()
        expect(pictures.nth(other)).to_have_attribute("aria-pressed", "true")
        assert dialog.locator(".whole img").get_attribute("src") != before
    for key, value in (product.get("attributes") or {}).items():
        if isinstance(value, str):
            expect(dialog).to_contain_text(value.replace("|", ", "))
    if product.get("category"):
        expect(dialog).to_contain_text(product["category"].split("/")[-1])


def test_escape_and_back_close_the_product_and_the_focus_returns(page):
    search_sample(page)
    before = page.url
    open_dialog(page, 1)
    assert "show=" in page.url
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(before)
    expect(cards(page).nth(1).get_by_role("button", name="all pictures and details")).to_be_focused()
    open_dialog(page)
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(before)


def test_results_are_saved_as_a_table(page):
    results = search_sample(page)["results"]
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a table (CSV)").click()
    assert saved.value.suggested_filename == "stylefinder.csv"
    with open(saved.value.path(), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["product_id"] for row in rows] == [result["product"]["id"] for result in results]
    assert [int(row["rank"]) for row in rows] == list(range(1, len(results) + 1))
    assert all(row["image"].startswith("http") for row in rows)
    assert not any(value and value[0] in "=+@" for row in rows for value in row.values())


def test_a_product_is_searched_with_from_its_dialog(page):
    result = search_sample(page)["results"][2]
    dialog = open_dialog(page, 2)
    with searching(page):
        dialog.get_by_role("button", name="Find garments like this").click()
    assert sent(page)["product_id"] == result["product"]["id"]
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_deep_link_opens_a_product(look, site, api):
    product = api.get("products?limit=1")["products"][0]
    page = look(f"{site}?show={product['id']}")
    expect(page.get_by_role("dialog").get_by_role("heading").first).to_have_text(product.get("title") or "Untitled garment")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert "show=" not in page.url


def test_a_search_needs_no_mouse(look, site, api):
    page = look(f"{site}?model={api.text_model()['id']}")
    page.get_by_role("heading", name="In the catalogue").wait_for()

    def tab_to(selector, most=200):
        for _ in range(most):
            page.keyboard.press("Tab")
            seen = page.evaluate(
                """() => {
                  const active = document.activeElement;
                  const marked = element => getComputedStyle(element).outlineStyle !== 'none' || getComputedStyle(element).boxShadow !== 'none';
                  return active === document.body || marked(active) || marked(active.parentElement) || active.outerHTML.slice(0, 120);
                }"""
            )
            assert seen is True, f"the focus can't be seen on {seen}"
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} can't be reached with the Tab key")

    tab_to(".skip", 1)
    tab_to(".drop .primary", 6)
    with page.expect_file_chooser():
        page.keyboard.press("Enter")
    tab_to("input[type=search]", 6)
    page.keyboard.type("a dress")
    with searching(page):
        page.keyboard.press("Enter")
    tab_to(".doing button")
    with searching(page):
        page.keyboard.press("Enter")
    assert "image_id" in sent(page)
    tab_to(".card .frame")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_skip_link_leads_to_the_results(page):
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the results")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


@pytest.mark.parametrize("width", [320, 360, 768, 1024, 1920])
def test_nothing_scrolls_sideways(look, site, width):
    page = look(site, width=width, height=780)
    page.get_by_role("heading", name="In the catalogue").wait_for()
    assert_no_sideways_scroll(page)
    search_sample(page)
    if width >= 640:
        for name in ("Category", "Colour", "Brand", "Price", "More"):
            menu(page, name)
            assert_no_sideways_scroll(page)
    else:
        page.get_by_role("button", name="Filters").click()
        assert_no_sideways_scroll(page)
        close(page)
    model_panel(page)
    assert_no_sideways_scroll(page)
    close(page)
    dialog = open_dialog(page)
    assert_no_sideways_scroll(page)
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")


def test_a_phone_offers_its_camera(look, site):
    page = look(site, width=390, height=844, has_touch=True, is_mobile=True)
    expect(page.get_by_role("button", name="Take a photo")).to_be_visible()
    assert page.locator("input[capture=environment]").count() == 1
    with page.expect_file_chooser():
        page.get_by_role("button", name="Take a photo").tap()


def lightness(page):
    red, green, blue = map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3])
    return (red + green + blue) / 765


def test_dark_colours_follow_the_system(look, site):
    assert lightness(look(site, color_scheme="light")) > 0.9
    assert lightness(look(site, color_scheme="dark")) < 0.15


def test_the_toggle_changes_the_colours_and_is_remembered(page):
    page.get_by_role("button", name="Use dark colours").click()
    assert lightness(page) < 0.15
    page.reload()
    page.get_by_role("button", name="Use light colours").wait_for()
    assert lightness(page) < 0.15
    page.get_by_role("button", name="Use light colours").click()
    assert lightness(page) > 0.9


def test_nothing_moves_for_those_who_want_no_motion(look, site):
    page = look(site, reduced_motion="reduce")
    page.route("**/api/v1/search", lambda route: None)
    page.get_by_role("button", name="Search with the sample").first.click()
    expect(page.locator(".skeleton").first).to_be_visible()
    seconds = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.skeleton')).animationDuration)")
    assert seconds < 0.001


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about(look, site, scheme):
    # Transitions would be judged half-way.
    page = look(site, color_scheme=scheme, reduced_motion="reduce")
    page.get_by_role("heading", name="In the catalogue").wait_for()
    assert_accessible(page)
    search_sample(page)
    page.mouse.move(0, 0)
    assert_accessible(page)
    menu(page, "Colour")
    assert_accessible(page)
    page.keyboard.press("Escape")
    model_panel(page)
    assert_accessible(page)
    close(page)
    open_dialog(page)
    assert_accessible(page)
    page.keyboard.press("Escape")
    choose(page, "notes.jpg", b"These are not pixels.")
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about_on_a_phone(look, site, scheme):
    page = look(site, width=360, height=780, color_scheme=scheme, reduced_motion="reduce", has_touch=True)
    page.get_by_role("heading", name="In the catalogue").wait_for()
    assert_accessible(page)
    search_sample(page)
    assert_accessible(page)
    page.get_by_role("button", name="Filters").click()
    assert_accessible(page)
    close(page)
    page.get_by_role("button", name="Crop", exact=True).click()
    assert_accessible(page)
    close(page)
    open_dialog(page)
    assert_accessible(page)


def test_progress_and_results_are_announced(page):
    search_sample(page)
    expect(page.get_by_role("status").filter(has_text=re.compile(r"\d+ garments? found"))).to_have_count(1)


def test_everything_works_under_a_base_path(look, based_site):
    base = urllib.parse.urlsplit(based_site).path
    assert base != "/"
    page = look(based_site)
    outside = []
    page.on("request", lambda request: urllib.parse.urlsplit(request.url).path.startswith(base) or request.url.startswith("blob:") or outside.append(request.url))
    page.get_by_role("heading", name="In the catalogue").wait_for()
    search_sample(page)
    assert urllib.parse.urlsplit(page.url).path == base
    with searching(page):
        cards(page).nth(1).get_by_role("button", name="More like").click()
    expect(page.locator(".preview img")).to_be_visible()
    assert page.locator(".preview img").evaluate("async image => { await image.decode(); return image.naturalWidth; }") > 0
    open_dialog(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("status").filter(has_text="found")).to_be_visible()
    page.get_by_role("link", name="StyleFinder").click()
    expect(page).to_have_url(based_site)
    expect(page.get_by_role("heading", name="In the catalogue")).to_be_visible()
    assert outside == []


def test_the_title_of_the_window_tells_the_query(look, site, api):
    page = look(f"{site}?model={api.text_model()['id']}")
    expect(page).to_have_title("StyleFinder")
    search_text(page, "a dress")
    expect(page).to_have_title("“a dress” · StyleFinder")
