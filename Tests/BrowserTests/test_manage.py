"""The catalogue in the hands of its keeper. Each test changes a stand-in of its own, or takes back what it did to a running server's."""

import json
import random
import re
import urllib.error
import urllib.request
import uuid

import pytest
from playwright.sync_api import expect

from PIL import Image

from conftest import TOKEN, fake
from visitor import assert_accessible, assert_no_sideways_scroll, cards, encoded, gradient, search_text, searching


@pytest.fixture
def keeper(look, managed):
    page = look(f"{managed}?view=manage")
    page.get_by_role("heading", name="Manage the catalogue").wait_for()
    return page


def enter(page, token=TOKEN):
    page.get_by_label("Admin token").fill(token)
    page.get_by_role("button", name="Use this token").click()


def product(site, id):
    with urllib.request.urlopen(f"{site}api/v1/products/{id}") as answer:
        return json.load(answer)


def listed(site, query=""):
    with urllib.request.urlopen(f"{site}api/v1/products?pictures=any{query}") as answer:
        return json.load(answer)


def change(site, method, path, body=None, kind="application/json"):
    headers = {"Authorization": f"Bearer {TOKEN}", **({"Content-Type": kind} if body is not None else {})}
    with urllib.request.urlopen(urllib.request.Request(f"{site}api/v1/{path}", body, headers, method=method), timeout=30):
        pass


def add_picture(site, id, data):
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="new.png"\r\nContent-Type: image/png\r\n\r\n'
    change(site, "POST", f"products/{id}/images", head.encode() + data + f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}")


@pytest.fixture
def new(managed):
    """Makes products of the test's own, which go with it, and gives their ids; also one that only the test itself will make."""
    made = []

    def make(fields=None, picture=None):
        made.append(f"new-{uuid.uuid4().hex[:8]}")
        if fields is not None:
            change(managed, "PUT", f"products/{made[-1]}", json.dumps(fields).encode())
        if picture is not None:
            add_picture(managed, made[-1], picture)
        return made[-1]

    yield make
    for id in made:
        try:
            change(managed, "DELETE", f"products/{id}")
        except urllib.error.HTTPError as error:
            assert error.code == 404


def find(page, text):
    """Types into the search above the list."""
    field = page.get_by_label("Find a product")
    field.fill(text)
    return field


def rows(page):
    return page.locator(".stock-list").first.locator("> li")


def told(page, text):
    return page.get_by_role("status").filter(has_text=text)


def test_without_a_token_there_is_only_a_list(keeper, managed):
    expect(keeper.get_by_role("button", name="Add a product")).to_be_disabled()
    page = listed(managed)
    expect(rows(keeper)).to_have_count(len(page["products"]))
    expect(told(keeper, f"{page['total']} products")).to_be_visible()
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


def test_a_token_that_is_no_longer_right_is_said_and_loses_nothing(keeper, managed, new):
    enter(keeper)
    id = new()
    refusal = json.dumps({"error": {"code": "wrong_token", "message": "The admin token is another one."}})
    keeper.route(f"**/api/v1/products/{id}", lambda route: route.fulfill(status=401, content_type="application/json", body=refusal)
                 if route.request.method == "PUT" else route.continue_())
    keeper.get_by_role("button", name="Add a product").click()
    keeper.get_by_label("Product ID").fill(id)
    keeper.get_by_label("Title").fill("Striped cardigan")
    keeper.get_by_role("button", name="Save").click()
    expect(keeper.get_by_role("alert")).to_have_text("The server does not accept this token.")
    expect(keeper.get_by_label("Title")).to_have_value("Striped cardigan")
    with pytest.raises(urllib.error.HTTPError):
        product(managed, id)


def test_a_new_product_with_pictures_is_searchable_at_once_edited_from_its_dialog_and_gone_when_deleted(keeper, managed, new):
    enter(keeper)
    id = new()
    keeper.get_by_role("button", name="Add a product").click()
    expect(keeper.get_by_role("heading", name="New product")).to_be_focused()
    assert_accessible(keeper)
    keeper.get_by_label("Product ID").fill(id)
    keeper.get_by_label("Title").fill("Quokka cardigan")
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
    expect(told(keeper, "“Quokka cardigan” was added and is searchable now.")).to_be_visible()
    held = product(managed, id)
    assert (held["price"], held["in_stock"], held["category"]) == (49.9, True, "Women/Knitwear")
    assert held["attributes"] == {"fit": "slim", "care": "30 °C|no tumble dryer"}
    assert [(image.get("view"), image.get("color")) for image in held["images"]] == [("main", "gray"), (None, None)]
    find(keeper, id)
    expect(rows(keeper)).to_have_count(1)
    expect(rows(keeper)).to_contain_text("Quokka cardigan")
    with searching(keeper) as answers:
        keeper.get_by_role("button", name="Search for it").click()
    assert answers[0]["results"][0]["product"]["id"] == id
    # The dialog of a result leads to the form.
    cards(keeper).first.get_by_role("button", name="all pictures and details").click()
    dialog = keeper.get_by_role("dialog")
    dialog.get_by_role("button", name="Edit").click()
    expect(dialog).to_have_count(0)
    expect(keeper.get_by_role("heading", name="Quokka cardigan")).to_be_focused()
    expect(keeper.get_by_label("Product ID")).to_have_value(id)
    keeper.get_by_label("Title").fill("Wombat cardigan")
    keeper.get_by_role("button", name="Save").click()
    expect(told(keeper, "“Wombat cardigan” was saved and is searchable now.")).to_be_visible()
    find(keeper, id)
    rows(keeper).get_by_role("button", name="Delete Wombat cardigan").click()
    keeper.get_by_role("button", name="Delete it").click()
    expect(told(keeper, "“Wombat cardigan” was deleted and is no longer found.")).to_be_visible()
    expect(told(keeper, "No product matches")).to_be_visible()
    with pytest.raises(urllib.error.HTTPError):
        product(managed, id)
    keeper.get_by_role("button", name="In the catalogue").click()
    answer = search_text(keeper, "wombat")
    assert "wombat" in answer["unknown_words"] and id not in [result["product"]["id"] for result in answer["results"]]


def test_back_from_a_form_leads_to_the_results_where_its_dialog_was_opened(keeper):
    enter(keeper)
    keeper.get_by_role("button", name="In the catalogue").click()
    with searching(keeper):
        keeper.get_by_role("button", name="Search with the sample").first.click()
    before = keeper.url
    cards(keeper).nth(1).get_by_role("button", name="all pictures and details").click()
    keeper.get_by_role("dialog").get_by_role("button", name="Edit").click()
    expect(keeper.get_by_label("Product ID")).to_be_visible()
    with searching(keeper):
        keeper.go_back()
    expect(keeper).to_have_url(before)
    expect(keeper.get_by_role("dialog")).to_have_count(0)


def test_a_dialog_leads_to_no_form_without_a_token(keeper):
    rows(keeper).first.locator(".name").click()
    dialog = keeper.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Find garments like this")).to_be_visible()
    expect(dialog.get_by_role("button", name="Edit")).to_have_count(0)
    keeper.keyboard.press("Escape")
    enter(keeper)
    rows(keeper).first.locator(".name").click()
    expect(dialog.get_by_role("button", name="Edit")).to_be_visible()
    assert_accessible(keeper)


def test_products_are_found_in_the_list_by_words_and_by_ids(keeper, managed, new):
    id = new({"title": "Quokka sweater", "brand": "Ålesund"})
    all_of_them = listed(managed)
    field = find(keeper, "quokka swea")
    expect(told(keeper, "1 product matches")).to_be_visible()
    expect(rows(keeper)).to_have_count(1)
    expect(rows(keeper)).to_contain_text(id)
    assert_accessible(keeper)
    field.press("Escape")
    expect(field).to_have_value("")
    expect(rows(keeper)).to_have_count(len(all_of_them["products"]))
    find(keeper, id[:-1].upper())
    expect(rows(keeper)).to_have_count(1)
    find(keeper, "xyzzy")
    expect(told(keeper, "No product matches")).to_be_visible()
    expect(rows(keeper)).to_have_count(0)
    keeper.get_by_role("button", name="Show all products").click()
    expect(field).to_be_focused()
    expect(told(keeper, f"{all_of_them['total']} products")).to_be_visible()
    # Enter does not wait for the pause in the typing, and the list stays narrowed while a product is edited.
    enter(keeper)
    field.fill(id)
    field.press("Enter")
    rows(keeper).get_by_role("button", name="Edit Quokka sweater").click()
    keeper.get_by_role("button", name="Cancel").click()
    expect(field).to_have_value(id)
    expect(rows(keeper)).to_have_count(1)


def test_a_list_that_does_not_come_is_said_and_can_be_asked_for_again(keeper):
    busy = json.dumps({"error": {"code": "overloaded", "message": "Too many searches are waiting; try again in a moment."}})
    keeper.route("**/api/v1/products?*q=*", lambda route: route.fulfill(status=503, content_type="application/json", body=busy))
    find(keeper, "xyzzy")
    expect(keeper.get_by_role("alert")).to_contain_text("Too many searches are waiting")
    assert_accessible(keeper)
    keeper.unroute("**/api/v1/products?*q=*")
    keeper.get_by_role("button", name="Try again").click()
    expect(told(keeper, "No product matches")).to_be_visible()
    expect(keeper.get_by_role("alert")).to_have_count(0)


def test_a_product_is_replaced_and_what_is_wrong_is_said_first(keeper, managed, new):
    id = new({"title": "Quokka sweater", "attributes": {"details": ["belt", "buttons"]}}, encoded(gradient(90, 120), "PNG"))
    add_picture(managed, id, encoded(gradient(120, 160), "PNG"))
    before = product(managed, id)
    enter(keeper)
    find(keeper, id)
    keeper.get_by_role("button", name="Edit Quokka sweater").click()
    expect(keeper.get_by_label("Product ID")).to_have_value(id)
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
    expect(told(keeper, "“Renamed” was saved and is searchable now.")).to_be_visible()
    after = product(managed, id)
    assert (after["title"], after["price"], after.get("attributes") or {}) == ("Renamed", 12.5, {})
    assert len(after["images"]) == len(before["images"]) - 1


def test_a_product_is_deleted_after_a_question(keeper, managed, new):
    id = new({"title": "Quokka sweater"}, encoded(gradient(90, 120), "PNG"))
    enter(keeper)
    find(keeper, id)
    expect(rows(keeper)).to_have_count(1)
    rows(keeper).get_by_role("button", name=re.compile("^Delete ")).click()
    keeper.get_by_role("button", name="Keep it").click()
    rows(keeper).get_by_role("button", name=re.compile("^Delete ")).click()
    assert_accessible(keeper)
    keeper.get_by_role("button", name="Delete it").click()
    expect(told(keeper, "was deleted and is no longer found")).to_be_visible()
    expect(rows(keeper)).to_have_count(0)
    with pytest.raises(urllib.error.HTTPError):
        product(managed, id)


def test_a_known_id_is_pointed_out_before_it_is_replaced(keeper, managed):
    enter(keeper)
    id = listed(managed)["products"][0]["id"]
    keeper.get_by_role("button", name="Add a product").click()
    keeper.get_by_label("Product ID").fill(id)
    keeper.get_by_label("Title").click()
    expect(keeper.get_by_text(f"There is a product {id} already. Saving replaces it.")).to_be_visible()


def test_a_product_without_pictures_is_listed_as_that_opened_completed_and_deleted(keeper, managed, new):
    enter(keeper)
    id = new()
    keeper.get_by_role("button", name="Add a product").click()
    keeper.get_by_label("Product ID").fill(id)
    keeper.get_by_role("button", name="Save").click()
    expect(told(keeper, "It has no picture yet")).to_be_visible()
    find(keeper, id)
    expect(rows(keeper)).to_have_count(1)
    expect(rows(keeper)).to_contain_text("no picture yet")
    assert_accessible(keeper)
    # There is nothing to search with.
    rows(keeper).locator(".name").click()
    dialog = keeper.get_by_role("dialog")
    expect(dialog.get_by_text("No picture yet")).to_be_visible()
    expect(dialog.get_by_role("button", name="Find garments like this")).to_have_count(0)
    assert_accessible(keeper)
    dialog.get_by_role("button", name="Edit").click()
    picture = {"name": "1.png", "mimeType": "image/png", "buffer": encoded(gradient(90, 120), "PNG")}
    keeper.locator(".pictures input[type=file]").set_input_files(picture)
    keeper.get_by_role("button", name="Save").click()
    expect(told(keeper, "was saved and is searchable now.")).to_be_visible()
    expect(rows(keeper).locator("img")).to_have_count(1)
    expect(rows(keeper)).not_to_contain_text("no picture yet")
    # Its last picture gone, it is still in the list.
    change(managed, "DELETE", f"images/{product(managed, id)['images'][0]['id']}")
    keeper.get_by_role("button", name="Show all products").click()
    expect(rows(keeper).nth(1)).to_be_visible()
    find(keeper, id)
    expect(rows(keeper)).to_have_count(1)
    expect(rows(keeper)).to_contain_text("no picture yet")
    rows(keeper).get_by_role("button", name=re.compile("^Delete ")).click()
    keeper.get_by_role("button", name="Delete it").click()
    expect(told(keeper, "was deleted and is no longer found")).to_be_visible()
    expect(rows(keeper)).to_have_count(0)
    with pytest.raises(urllib.error.HTTPError):
        product(managed, id)


def test_the_same_picture_in_two_products_is_listed_and_taken_from_one_of_them(keeper, managed, new):
    noise = encoded(Image.frombytes("RGB", (90, 120), random.Random(7).randbytes(90 * 120 * 3)), "PNG")
    one, other = sorted(new({"title": f"Numbat {word}"}, noise) for word in ("shirt", "vest"))
    section = keeper.get_by_role("region", name="Duplicates")
    enter(keeper)
    section.get_by_role("button", name="Look for duplicates").click()
    pair = section.get_by_role("listitem").filter(has_text="1 of 1 picture shared").filter(has_text=one)
    expect(pair).to_contain_text(other)
    group = section.get_by_role("listitem").filter(has_text=re.compile(r"Similarity (1\.000|0\.999)")).filter(has_text=one)
    expect(group).to_contain_text(other)
    pair.get_by_role("button", name=f"Delete {product(managed, other)['title']}").click()
    pair.get_by_role("button", name="Delete it").click()
    expect(pair).to_have_count(0)
    expect(group).to_have_count(0)
    assert product(managed, one)["images"]
    with pytest.raises(urllib.error.HTTPError):
        product(managed, other)


@pytest.fixture
def duplicates(keeper, own_site):
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
    change(own_site, "PUT", "products/bare", json.dumps({"title": "Quokka sweater"}).encode())
    page = look(f"{own_site}?view=manage", width=width, height=740, color_scheme="dark")
    enter(page)
    find(page, "quok")
    expect(page.get_by_text("no picture yet")).to_be_visible()
    assert_no_sideways_scroll(page)
    assert_accessible(page)
    page.get_by_role("button", name="Show all products").click()
    page.get_by_role("button", name="Look for duplicates").click()
    expect(page.get_by_text("Similarity 0.991")).to_be_visible()
    assert_no_sideways_scroll(page)
    page.get_by_role("button", name=re.compile("^Edit ")).first.click()
    expect(page.get_by_label("Product ID")).to_be_visible()
    assert_no_sideways_scroll(page)
    assert_accessible(page)
