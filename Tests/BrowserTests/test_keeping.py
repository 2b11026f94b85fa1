"""The garment itself, favourites, and one query across all models."""

import re

import pytest
from playwright.sync_api import expect

from visitor import assert_accessible, assert_no_sideways_scroll, cards, close, search_sample, searching


def opened(page, at=0):
    cards(page).nth(at).get_by_role("button", name="all pictures and details").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading").first).to_be_visible()
    return dialog


def test_a_garment_opens_on_the_picture_that_was_found_with_its_score(page, api):
    for at, result in enumerate(search_sample(page)["results"][:4]):
        images = api.get("products/" + result["product"]["id"])["images"]
        dialog = opened(page, at)
        place = next(n for n, image in enumerate(images) if image["id"] == result["image"]["id"])
        assert f"images/{result['image']['id']}" in dialog.locator(".whole img").get_attribute("src")
        if len(images) > 1:
            expect(dialog.get_by_role("list", name="Pictures").get_by_role("button").nth(place)).to_have_attribute("aria-pressed", "true")
        expect(dialog).to_contain_text(f"Score {result['score']:.3f}")
        page.reload()
        expect(dialog.locator(".whole img")).to_have_attribute("src", re.compile(f"images/{result['image']['id']}\\b"))
        close(page)


def test_its_colours_are_chips_that_show_their_pictures(page, api):
    for at, result in enumerate(search_sample(page)["results"]):
        images = api.get("products/" + result["product"]["id"])["images"]
        colors = list(dict.fromkeys(image["color"] for image in images if image.get("color")))
        if len(colors) > 1:
            break
    else:
        pytest.skip("no result has several colours")
    dialog = opened(page, at)
    other = next(color for color in colors if color != result["image"]["color"])
    dialog.get_by_role("group", name="Colours").get_by_role("button", name=other, exact=True).click()
    first = next(image["id"] for image in images if image["color"] == other)
    expect(dialog.locator(".whole img")).to_have_attribute("src", re.compile(f"images/{first}\\b"))
    assert_accessible(page)


def test_its_picture_is_enlarged_and_escape_goes_one_step_back(page):
    search_sample(page)
    dialog = opened(page)
    dialog.get_by_role("button", name="Enlarge the picture").click()
    large = dialog.locator(".whole-window img")
    expect(large).to_be_visible()
    assert "w=1280" in large.get_attribute("src")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.keyboard.press("Escape")
    expect(large).to_have_count(0)
    expect(dialog.get_by_role("button", name="Enlarge the picture")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_favourites_are_kept_in_this_browser(page):
    results = search_sample(page)["results"]
    title = results[1]["product"]["title"]
    cards(page).nth(1).get_by_role("button", name=f"Keep {title} as a favourite").click()
    expect(page.get_by_role("button", name="Favourites, 1")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Favourites, 1").click()
    drawer = page.get_by_role("dialog", name="Favourites")
    expect(drawer.get_by_role("listitem")).to_have_count(1)
    expect(drawer).to_contain_text("kept in this browser only")
    assert_accessible(page)
    drawer.get_by_role("button", name=title, exact=False).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading").first).to_have_text(title)
    dialog.get_by_role("button", name=f"Remove {title} from the favourites").click()
    close(page)
    expect(page.get_by_role("button", name="Favourites", exact=True)).to_be_visible()


def test_one_query_is_answered_by_every_model_in_a_grid(page, api):
    models = api.models()["models"]
    if len(models) < 2:
        pytest.skip("the server has a single model")
    search_sample(page)
    # From a garment of the catalogue, so that its own product is known.
    with searching(page):
        cards(page).first.get_by_role("button", name="More like").click()
    page.get_by_role("button", name="Compare models").click()
    assert "view=compare" in page.url
    expect(page.get_by_role("status").filter(has_text=f"{len(models)} models have answered")).to_be_visible(timeout=60_000)
    rows = page.get_by_role("region", name="Table: results by model").get_by_role("row")
    expect(rows).to_have_count(len(models) + 1)
    # What is searched with, or else the nearest garment, is marked wherever it is found.
    expect(rows.nth(1)).to_contain_text("Marked garment at rank 1")
    assert 1 <= page.locator("td.marked").count() <= len(models)
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    rows.nth(1).get_by_role("button", name=re.compile("^Mark ")).nth(3).click()
    expect(rows.nth(1)).to_contain_text("Marked garment at rank 5")
    for row in range(2, len(models) + 1):
        expect(rows.nth(row)).to_contain_text(re.compile("Marked garment (at rank \\d|not among the first 8)"))
    with searching(page):
        page.get_by_role("button", name="Back to the results").click()
    assert "view=compare" not in page.url


def test_the_comparison_fits_a_phone_and_scrolls_inside_itself(look, site, api):
    if len(api.models()["models"]) < 2:
        pytest.skip("the server has a single model")
    page = look(f"{site}?sample=0&view=compare", width=360, height=740)
    expect(page.locator(".compared td img").first).to_be_visible()
    assert_no_sideways_scroll(page)
    table = page.get_by_role("region", name="Table: results by model")
    assert table.evaluate("table => table.scrollWidth > table.clientWidth")
    assert_accessible(page)


def test_a_model_that_fails_is_said_in_its_row(look, site, api):
    if len(api.models()["models"]) < 2:
        pytest.skip("the server has a single model")
    page = look(f"{site}?sample=0")
    page.locator(".card:not(.skeleton)").first.wait_for()
    failed = []

    def once(route):
        failed.append(route)
        if len(failed) == 1:
            route.fulfill(status=422, content_type="application/json", body='{"error":{"code":"x","message":"This one is broken."}}')
        else:
            route.continue_()

    page.route("**/api/v1/search", once)
    page.get_by_role("button", name="Compare models").click()
    expect(page.locator(".compared tbody tr").first).to_contain_text("This one is broken.")
    expect(page.locator(".compared tbody tr").nth(1).locator("img").first).to_be_visible()
