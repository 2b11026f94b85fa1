"""What goes wrong is said in words, and the page goes on. The server's troubles are put between it and the page, so any server will do."""

import json
import re

from playwright.sync_api import expect

from visitor import cards, choose, encoded, gradient, search_sample, searching, sent


def refuse(status, code, message):
    def answer(route):
        body = json.dumps({"error": {"code": code, "message": message}})
        route.fulfill(status=status, content_type="application/json", body=body, headers={"Retry-After": "1"})

    return answer


def test_a_text_file_named_jpg_is_refused_in_words_and_the_page_goes_on(page, api):
    choose(page, "notes.jpg", b"These are not pixels.\n" * 40)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("That is not a picture")
    expect(alert).to_contain_text("notes.jpg")
    with page.expect_file_chooser() as chooser, searching(page):
        alert.get_by_role("button", name="Choose another picture").click()
        chooser.value.set_files({"name": "real.jpg", "mimeType": "image/jpeg", "buffer": api.picture()})
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_refused_file_leaves_the_results_where_they_were(page):
    found = len(search_sample(page)["results"])
    choose(page, "notes.jpg", b"These are not pixels.")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(cards(page)).to_have_count(found)


def test_a_broken_picture_is_refused_in_the_servers_words(page, api):
    data = encoded(gradient(400, 500), "PNG")
    with page.expect_response(lambda response: response.url.endswith("/search")) as awaited:
        choose(page, "torn.png", data[: len(data) // 2], "image/png")
    assert awaited.value.status in (415, 422)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(awaited.value.json()["error"]["message"])
    with searching(page):
        choose(page, "whole.png", data, "image/png")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_unknown_model_in_the_address_offers_the_default_one(look, site, api):
    api.samples()
    page = look(f"{site}?sample=0&model=no-such-model")
    expect(page.get_by_role("alert")).to_be_visible()
    with searching(page) as answers:
        page.get_by_role("button", name="Use the default model").click()
    assert answers[0]["model"] == api.default_model()["id"]


def test_an_overloaded_server_is_asked_again_when_the_user_wants(page):
    page.route("**/api/v1/search", refuse(503, "overloaded", "Too many searches are waiting."))
    page.get_by_role("button", name="Search with the sample").first.click()
    expect(page.get_by_role("alert")).to_contain_text("The server is busy")
    page.unroute("**/api/v1/search")
    with searching(page):
        page.get_by_role("button", name="Try again").click()


def test_a_lost_connection_is_said_and_survived(page):
    page.route("**/api/v1/search", lambda route: route.abort("connectionrefused"))
    page.get_by_role("button", name="Search with the sample").first.click()
    expect(page.get_by_role("alert")).to_contain_text("can't be reached")
    page.unroute("**/api/v1/search")
    with searching(page):
        page.get_by_role("button", name="Try again").click()


def test_a_search_waits_by_itself_for_a_server_that_loads(page):
    page.route("**/api/v1/search", refuse(503, "loading", "The models are being loaded."))
    page.route("**/readyz", refuse(503, "loading", "The models are being loaded."))
    page.get_by_role("button", name="Search with the sample").first.click()
    expect(page.get_by_role("status").filter(has_text="getting ready")).to_be_visible()
    page.unroute("**/api/v1/search")
    with searching(page):
        page.unroute("**/readyz")


def test_a_page_opened_while_the_server_loads_begins_by_itself(look, site, api):
    api.samples()
    page = look(f"{site}?sample=0")
    page.route("**/api/v1/models", refuse(503, "loading", "The models are being loaded."))
    page.route("**/readyz", refuse(503, "loading", "The models are being loaded."))
    page.reload()
    expect(page.get_by_role("status").filter(has_text="getting ready")).to_be_visible()
    page.unroute("**/api/v1/models")
    with searching(page):
        page.unroute("**/readyz")


def test_a_proxys_error_page_is_survived(page):
    page.route("**/api/v1/search", lambda route: route.fulfill(status=500, content_type="text/html", body="<h1>Oops</h1>"))
    page.get_by_role("button", name="Search with the sample").first.click()
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong")
    page.unroute("**/api/v1/search")
    with searching(page):
        page.get_by_role("button", name="Try again").click()


def test_a_long_search_shows_that_it_goes_on(page):
    held = []
    page.route("**/api/v1/search", lambda route: held.append(route))
    with page.expect_request("**/api/v1/search"):
        page.get_by_role("button", name="Search with the sample").first.click()
    expect(page.get_by_role("status").filter(has_text="Searching")).to_be_visible()
    expect(page.locator(".skeleton").first).to_be_visible()
    with searching(page):
        held[0].continue_()


def test_a_hanging_server_is_said_and_the_search_can_be_cancelled(page):
    page.clock.install(time=0)
    page.route("**/api/v1/search", lambda route: None)
    # On a busy machine the steps of this test take seconds of their own: the page's clock stands still between them.
    page.clock.pause_at(600_000)
    page.get_by_role("button", name="Search with the sample").first.click()
    expect(page.get_by_role("status").filter(has_text="Searching")).to_be_visible()
    page.clock.run_for(7000)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    page.clock.run_for(2000)
    expect(page.get_by_role("status").filter(has_text="Still waiting")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("cancelled")
    expect(page.get_by_alt_text("The query")).to_be_visible()
    page.unroute("**/api/v1/search")
    with searching(page):
        page.get_by_role("button", name="Try again").click()


# A file that says it is HEIC and holds nothing that a browser could show.
HEIC = b"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00mif1heic" + bytes(range(256)) * 8


def test_heic_is_sent_for_the_server_to_try(page):
    with page.expect_response(lambda response: response.url.endswith("/search")):
        choose(page, "IMG_1.HEIC", HEIC, "image/heic")
    image = sent(page)["image"]
    assert (image["name"], image["bytes"], image["jpeg"]) == ("IMG_1.HEIC", len(HEIC), False)
    # Nobody could read this one; the server says so.
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(re.compile("does not read this HEIC picture|The picture is broken"))
    expect(alert.get_by_role("button", name="Choose another picture")).to_be_visible()


def test_heic_that_nobody_reads_is_explained_with_a_way_out(page):
    page.route("**/api/v1/search", refuse(415, "not_an_image", "This is a HEIC picture, which is not read."))
    choose(page, "IMG_1.HEIC", HEIC, "image/heic")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The server does not read this HEIC picture")
    expect(alert).to_contain_text("This is a HEIC picture, which is not read.")
    expect(alert).to_contain_text("Most Compatible")
    expect(page.get_by_text("It is sent to the server as it is")).to_be_visible()


def test_a_garment_that_is_gone_is_said_in_the_dialog(look, site):
    page = look(f"{site}?show=no-such-garment")
    expect(page.get_by_role("dialog")).to_contain_text("no longer in the catalogue")
    page.get_by_role("dialog").get_by_role("button", name="Close").first.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert "show=" not in page.url
