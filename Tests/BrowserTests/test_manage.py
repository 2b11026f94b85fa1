"""The catalogue in the hands of its keeper. Each test changes a stand-in of its own."""

import json
import re
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

from conftest import fake
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
    keeper.get_by_role("button", name="In the catalogue").click()
    keeper.get_by_role("button", name="Manage the catalogue").click()
    expect(keeper.get_by_role("button", name="Add a product")).to_be_enabled()
    stored = keeper.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state])")
    assert TOKEN not in stored
    keeper.reload()
    expect(keeper.get_by_role("button", name="Add a product")).to_be_disabled()


def test_a_wrong_token_is_said_at_once(keeper):
    enter(keeper, "wrong")
    expect(keeper.get_by_role("alert")).to_have_text("The server does not accept this token.")
    expect(keeper.get_by_role("button", name="Add a product")).to_be_disabled()
    assert_accessible(keeper)
    enter(keeper)
    expect(keeper.get_by_role("alert")).to_have_count(0)
    expect(keeper.get_by_role("button", name="Add a product")).to_be_enabled()


def test_a_server_that_takes_no_changes_says_how_it_would(look):
    server = fake(products=8, editable=False)
    page = look(f"{server.url}?view=manage")
    enter(page)
    expect(page.get_by_role("alert")).to_have_text("This server takes no changes. Start it with --admin-token-file to allow them.")
    server.shutdown()


def test_a_token_that_is_no_longer_right_is_said_and_loses_nothing(keeper, own_site):
    enter(keeper)
    refusal = json.dumps({"error": {"code": "wrong_token", "message": "The admin token is another one."}})
    keeper.route("**/api/v1/products/n1", lambda route: route.fulfill(status=401, content_type="application/json", body=refusal)
                 if route.request.method == "PUT" else route.continue_())
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
    assert held["attributes"] == {"fit": "slim", "care": "30 °C|no tumble dryer"}
    assert [(image.get("view"), image.get("color")) for image in held["images"]] == [("main", "gray"), (None, None)]
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
    assert (after["title"], after["price"], after["attributes"]) == ("Renamed", 12.5, {})
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


@pytest.fixture
def duplicates(keeper):
    section = keeper.get_by_role("region", name="Duplicates")
    expect(section.get_by_role("button", name="Look for duplicates")).to_be_disabled()
    enter(keeper)
    section.get_by_role("button", name="Look for duplicates").click()
    expect(section.get_by_role("status")).to_have_text("2 groups of pictures, 1 pair of products")
    return section


def test_duplicates_are_listed_side_by_side_and_opened(keeper, duplicates):
    expect(duplicates).to_contain_text(re.compile(r"\d+ pictures were compared with ResNet"))
    expect(duplicates.get_by_role("listitem")).to_have_count(3)
    pair, group, _ = duplicates.get_by_role("listitem").all()
    expect(pair).to_contain_text("2 of 3 pictures shared")
    expect(pair).to_contain_text("g0000")
    expect(pair.locator("img")).to_have_count(2)
    expect(group).to_contain_text("Similarity 0.991")
    expect(group.locator("img")).to_have_count(3)
    assert_accessible(keeper)
    shown = group.locator("img").nth(2).get_attribute("src")
    group.get_by_role("button", name=re.compile("g0005")).nth(1).click()
    dialog = keeper.get_by_role("dialog")
    expect(dialog.get_by_role("heading").first).to_be_visible()
    # It opens on the picture that was pressed.
    assert re.search(r"images/\d+", shown)[0] in dialog.locator(".whole img").get_attribute("src")


def test_a_picture_among_duplicates_is_deleted_after_a_question(keeper, duplicates, own_site):
    before = [image["id"] for image in product(own_site, "g0005")["images"]]
    group = duplicates.get_by_role("listitem").nth(1)
    delete = group.get_by_role("button", name=f"Delete picture {before[0]} of")
    delete.click()
    assert_accessible(keeper)
    group.get_by_role("button", name="Keep it").click()
    expect(delete).to_be_focused()
    delete.click()
    group.get_by_role("button", name="Delete it").click()
    expect(group.locator("img")).to_have_count(2)
    expect(duplicates.get_by_role("heading", name="Duplicates")).to_be_focused()
    assert [image["id"] for image in product(own_site, "g0005")["images"]] == before[1:]
    # The group goes with the last but one of its pictures.
    group.get_by_role("button", name=f"Delete picture {before[1]} of").click()
    group.get_by_role("button", name="Delete it").click()
    expect(duplicates.get_by_role("status")).to_have_text("1 group of pictures, 1 pair of products")


def test_a_product_among_duplicates_is_deleted_after_a_question(keeper, duplicates, own_site):
    pair = duplicates.get_by_role("listitem").first
    pair.get_by_role("button", name=re.compile("^Delete .*g0000")).click()
    pair.get_by_role("button", name="Delete it").click()
    # The group of two pictures had one of this product.
    expect(duplicates.get_by_role("status")).to_have_text("1 group of pictures, 0 pairs of products")
    expect(keeper.locator(".stock-list").first.locator("> li")).to_have_count(19)
    with pytest.raises(urllib.error.HTTPError):
        product(own_site, "g0000")


def test_without_duplicates_it_is_said_and_a_failure_can_be_tried_again(keeper):
    section = keeper.get_by_role("region", name="Duplicates")
    enter(keeper)
    busy = json.dumps({"error": {"code": "overloaded", "message": "Too many searches are waiting; try again in a moment."}})
    keeper.route("**/api/v1/duplicates", lambda route: route.fulfill(status=503, content_type="application/json", body=busy))
    section.get_by_role("button", name="Look for duplicates").click()
    expect(section.get_by_role("alert")).to_have_text("Too many searches are waiting; try again in a moment.")
    keeper.unroute("**/api/v1/duplicates")
    none = {"model": "small-resnet", "compared": 90, "duplicates": [], "products": []}
    keeper.route("**/api/v1/duplicates", lambda route: route.fulfill(json=none))
    section.get_by_role("button", name="Look for duplicates").click()
    expect(section.get_by_role("status")).to_have_text("No duplicates were found.")
    expect(section.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("width", [320, 768])
def test_it_fits_small_windows_in_dark_colours(look, own_site, width):
    page = look(f"{own_site}?view=manage", width=width, height=740, color_scheme="dark")
    enter(page)
    page.get_by_role("button", name="Look for duplicates").click()
    expect(page.get_by_text("Similarity 0.991")).to_be_visible()
    assert_no_sideways_scroll(page)
    page.get_by_role("button", name=re.compile("^Edit ")).first.click()
    expect(page.get_by_label("Product ID")).to_be_visible()
    assert_no_sideways_scroll(page)
    assert_accessible(page)
