"""The catalogue in the hands of its keeper. Each test changes a stand-in of its own."""

import json
import re
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

from fake_server import TOKEN
from visitor import assert_accessible, assert_no_sideways_scroll, encoded, gradient, searching


@pytest.fixture
def keeper(look, own_site):
    page = look(own_site)
    page.get_by_role("button", name="Manage the catalogue").click()
    page.get_by_role("heading", name="Manage the catalogue").wait_for()
    return page


def enter(page, token=TOKEN):
    page.get_by_label("Admin token").fill(token)
    page.get_by_role("button", name="Use this token").click()


def product(site, id):
    with urllib.request.urlopen(f"{site}api/v1/products/{id}") as answer:
        return json.load(answer)


def test_without_a_token_there_is_only_a_list(keeper):
    expect(keeper.get_by_role("button", name="Add a product")).to_be_disabled()
    expect(keeper.locator(".stock-list > li")).to_have_count(20)
    assert_accessible(keeper)


def test_the_token_is_held_in_memory_alone(keeper):
    enter(keeper)
    expect(keeper.get_by_role("button", name="Add a product")).to_be_enabled()
    stored = keeper.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state])")
    assert TOKEN not in stored
    keeper.reload()
    expect(keeper.get_by_role("button", name="Add a product")).to_be_disabled()


def test_a_wrong_token_is_said_and_loses_nothing(keeper, own_site):
    enter(keeper, "wrong")
    keeper.get_by_role("button", name="Add a product").click()
    keeper.get_by_label("Product ID").fill("n1")
    keeper.get_by_label("Title").fill("Striped cardigan")
    keeper.get_by_role("button", name="Save").click()
    expect(keeper.get_by_role("alert")).to_have_text("The server does not accept this token.")
    expect(keeper.get_by_label("Title")).to_have_value("Striped cardigan")
    with pytest.raises(urllib.error.HTTPError):
        product(own_site, "n1")


def test_a_new_product_with_pictures_is_searchable_at_once(keeper, own_site):
    enter(keeper)
    keeper.get_by_role("button", name="Add a product").click()
    assert_accessible(keeper)
    keeper.get_by_label("Product ID").fill("n1")
    keeper.get_by_label("Title").fill("Striped cardigan")
    keeper.get_by_label("Category").fill("Women/Knitwear")
    keeper.get_by_label("Price").fill("49,90")
    keeper.get_by_label("Currency").fill("EUR")
    keeper.get_by_label("In stock").select_option("true")
    keeper.get_by_label("Attributes").fill("fit: slim\ncare: 30 °C\ncare: no tumble dryer")
    pictures = [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": encoded(gradient(90 + n, 120), "JPEG")} for n in (1, 2)]
    keeper.locator(".pictures input[type=file]").set_input_files(pictures)
    keeper.get_by_label("View of picture 1").fill("main")
    keeper.get_by_label("Colour of picture 1").fill("gray")
    keeper.get_by_role("button", name="Save").click()
    expect(keeper.get_by_role("status").filter(has_text="“Striped cardigan” was added and is searchable now.")).to_be_visible()
    held = product(own_site, "n1")
    assert (held["price"], held["in_stock"], held["category"]) == (49.9, True, "Women/Knitwear")
    assert held["attributes"] == {"fit": "slim", "care": ["30 °C", "no tumble dryer"]}
    assert [(image["view"], image["color"]) for image in held["images"]] == [("main", "gray"), (None, None)]
    expect(keeper.locator(".stock-list > li").first).to_contain_text("Striped cardigan")
    with searching(keeper) as answers:
        keeper.get_by_role("button", name="Search for it").click()
    assert answers[0]["results"][0]["product"]["id"] == "n1"


def test_a_product_is_replaced_and_what_is_wrong_is_said_first(keeper, own_site):
    enter(keeper)
    keeper.get_by_role("button", name=re.compile("^Edit ")).first.click()
    id = keeper.get_by_label("Product ID").input_value()
    before = product(own_site, id)
    assert "details: belt\ndetails: buttons" in keeper.get_by_label("Attributes").input_value()
    keeper.get_by_label("Price").fill("cheap")
    keeper.get_by_role("button", name="Save").click()
    expect(keeper.get_by_role("alert")).to_contain_text("“cheap” is no price")
    keeper.get_by_label("Price").fill("12.5")
    keeper.get_by_label("Attributes").fill("no colon here")
    keeper.get_by_role("button", name="Save").click()
    expect(keeper.get_by_role("alert")).to_contain_text("“no colon here” is no attribute")
    keeper.get_by_label("Attributes").fill("")
    keeper.get_by_label("Title").fill("Renamed")
    keeper.get_by_role("button", name="Delete picture 1").click()
    expect(keeper.locator(".pictures li")).to_have_count(len(before["images"]) - 1)
    keeper.get_by_role("button", name="Save").click()
    expect(keeper.get_by_role("status").filter(has_text="“Renamed” was saved and is searchable now.")).to_be_visible()
    after = product(own_site, id)
    assert (after["title"], after["price"], after["attributes"]) == ("Renamed", 12.5, None)
    assert len(after["images"]) == len(before["images"]) - 1


def test_a_product_is_deleted_after_a_question(keeper, own_site):
    enter(keeper)
    first = keeper.locator(".stock-list > li").first
    first.get_by_role("button", name=re.compile("^Delete ")).click()
    keeper.get_by_role("button", name="Keep it").click()
    first.get_by_role("button", name=re.compile("^Delete ")).click()
    assert_accessible(keeper)
    keeper.get_by_role("button", name="Delete it").click()
    expect(keeper.get_by_role("status").filter(has_text="was deleted and is no longer found")).to_be_visible()
    expect(keeper.locator(".stock-list").first.locator("> li")).to_have_count(19)
    with pytest.raises(urllib.error.HTTPError):
        product(own_site, "g0000")


def test_a_known_id_is_pointed_out_before_it_is_replaced(keeper):
    enter(keeper)
    keeper.get_by_role("button", name="Add a product").click()
    keeper.get_by_label("Product ID").fill("g0001")
    keeper.get_by_label("Title").click()
    expect(keeper.get_by_text("There is a product g0001 already. Saving replaces it.")).to_be_visible()


def test_a_product_without_pictures_is_said_to_be_found_by_none(keeper):
    enter(keeper)
    keeper.get_by_role("button", name="Add a product").click()
    keeper.get_by_label("Product ID").fill("bare")
    keeper.get_by_role("button", name="Save").click()
    expect(keeper.get_by_role("status").filter(has_text="It has no picture yet")).to_be_visible()


def test_duplicates_are_listed_side_by_side(keeper):
    enter(keeper)
    section = keeper.get_by_role("region", name="Duplicates")
    expect(section.get_by_role("listitem")).to_have_count(1)
    expect(section).to_contain_text("Similarity 0.991")
    assert_accessible(keeper)
    section.get_by_role("button").first.click()
    expect(keeper.get_by_role("dialog").get_by_role("heading").first).to_be_visible()


@pytest.mark.parametrize("width", [320, 768])
def test_it_fits_small_windows_in_dark_colours(look, own_site, width):
    page = look(f"{own_site}?view=manage", width=width, height=740, color_scheme="dark")
    enter(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("button", name=re.compile("^Edit ")).first.click()
    expect(page.get_by_label("Product ID")).to_be_visible()
    assert_no_sideways_scroll(page)
    assert_accessible(page)
