"""The widget of docs/embed in a shop's page of another origin than the API's. Only against the real server, which has to let the shop's origin in.

STYLEFINDER_SHOP_PORT is the port of 127.0.0.1 whose origin the server named by STYLEFINDER_BASED_URL was started with, as --allow-origin.
"""

import functools
import http.server
import os
import re
import threading
import urllib.parse
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from conftest import PATIENCE_MS
from visitor import assert_accessible, assert_no_sideways_scroll, encoded, gradient

pytestmark = pytest.mark.skipif("STYLEFINDER_SHOP_PORT" not in os.environ, reason="needs a running server that lets a shop's origin in")

FILES = Path(__file__).resolve().parents[2] / "docs/embed"


class Shop(http.server.SimpleHTTPRequestHandler):
    """The folder's own files; the address of the API in the page is the running server's."""

    def __init__(self, *arguments, api, **options):
        self.api = api
        super().__init__(*arguments, directory=str(FILES), **options)

    def do_GET(self):
        if self.path != "/shop.html":
            return super().do_GET()
        written = (FILES / "shop.html").read_text()
        assert written.count("http://127.0.0.1:8080") == 1
        page = written.replace("http://127.0.0.1:8080", self.api).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def open_shop(based_site):
    """Begins a shop at a port, 0 for any free one; its address."""
    shops = []

    def begin(port):
        shop = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Shop, api=based_site))
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        shops.append(shop)
        return f"http://127.0.0.1:{shop.server_port}/shop.html"

    yield begin
    for shop in shops:
        shop.shutdown()
        shop.server_close()


@pytest.fixture(scope="module")
def shop(open_shop):
    """A shop of the origin that the API lets in."""
    return open_shop(int(os.environ["STYLEFINDER_SHOP_PORT"]))


@pytest.fixture
def visit(browser):
    """Opens pages of which no script may fail."""
    contexts, troubles = [], []

    def open_page(url, width=1280, before=lambda page: None):
        context = browser.new_context(viewport={"width": width, "height": 800}, locale="en-GB")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("filechooser", lambda chooser: None)  # From the start, as in conftest: asked for later, it may come after the key press.
        before(page)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def choose(page, data, name="photo.jpg", kind="image/jpeg"):
    page.get_by_label("Find by photo").set_input_files({"name": name, "mimeType": kind, "buffer": data})


def results(page):
    return page.locator(".finder-results > li")


def said(page, text):
    expect(page.get_by_role("status")).to_have_text(text)


@pytest.fixture(scope="module")
def photo(based_site):
    """A picture of a product of the catalogue, and the product."""
    from conftest import API

    api = API(based_site)
    product = api.get("products?limit=1")["products"][0]
    return api.bytes(product["image"]["path"]), product


def test_a_photo_finds_products_as_links_to_the_shops_own_pages(visit, shop, photo):
    data, product = photo
    page = visit(shop)
    choose(page, data)
    said(page, "12 results, the most similar first:")
    expect(results(page)).to_have_count(12)
    first = results(page).first.get_by_role("link")
    expect(first).to_contain_text(product["title"])
    assert first.get_attribute("href") == f"/products/{urllib.parse.quote(product['id'])}"
    expect(first).to_contain_text(re.compile(r"[€£$]\d"))
    page.wait_for_function("[...document.querySelectorAll('.finder-results img')].slice(0, 4).every(i => i.complete && i.naturalWidth > 100)")
    assert_accessible(page)


def test_the_button_is_reached_and_used_by_the_keyboard(visit, shop, photo):
    page = visit(shop)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Find by photo")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo[0]})
    expect(results(page)).to_have_count(12)
    page.keyboard.press("Tab")
    expect(results(page).first.get_by_role("link")).to_be_focused()


def test_it_fits_a_phone(visit, shop, photo):
    page = visit(shop, width=360)
    choose(page, photo[0])
    expect(results(page)).to_have_count(12)
    assert_no_sideways_scroll(page)
    assert_accessible(page)


def test_a_photo_unlike_everything_is_told_from_a_close_one(visit, shop):
    page = visit(shop)
    choose(page, encoded(Image.effect_noise((300, 400), 90).convert("RGB"), "JPEG"))
    said(page, "We have nothing very like it. These come nearest:")
    expect(results(page)).to_have_count(12)


def test_what_is_no_picture_is_said_in_words_and_the_next_photo_works(visit, shop, photo):
    page = visit(shop)
    choose(page, b"Dear shop, this is a letter.", kind="image/jpeg")
    said(page, re.compile("not a picture"))
    expect(results(page)).to_have_count(0)
    choose(page, photo[0][: len(photo[0]) // 2])
    said(page, re.compile("cut off"))
    choose(page, photo[0])
    expect(results(page)).to_have_count(12)


def test_a_shop_that_the_server_does_not_let_in_is_told_that_the_search_is_not_reached(visit, open_shop, photo):
    page = visit(open_shop(0))
    choose(page, photo[0])
    said(page, re.compile("can’t be reached"))


@pytest.mark.parametrize(
    "answer", [None, {"status": 502, "content_type": "text/html", "body": "<h1>Bad Gateway</h1>"}], ids=["no network", "a proxy's page"])
def test_trouble_on_the_way_is_said_in_words(visit, shop, photo, answer):
    page = visit(shop, before=lambda page: page.route("**/api/v1/search", lambda route: route.fulfill(**answer) if answer else route.abort()))
    choose(page, photo[0])
    said(page, re.compile("can’t be reached"))
    page.unroute("**/api/v1/search")
    choose(page, photo[0])
    expect(results(page)).to_have_count(12)


def test_what_the_catalogue_says_is_shown_as_text_and_no_link_runs_a_script(visit, shop, photo):
    origin = shop.removesuffix("/shop.html")
    hostile = "<img src=x onerror='window.wounded = true'><script>window.wounded = true</script>"
    products = [
        {"id": "1", "title": hostile, "url": "javascript:window.wounded=true", "price": 5, "currency": "<b>"},
        {"id": "a/b?c#d", "title": "Kept apart"},
        {"id": "3", "title": "At the shop", "url": "/p/3"},
        {"id": "4", "title": "No address", "url": "http://["},
    ]
    answer = {"model": "m", "timing_ms": {}, "results": [
        {"rank": place, "score": 1, "product": product, "image": {"id": place, "path": f"/api/v1/images/{place}"}}
        for place, product in enumerate(products, 1)]}
    page = visit(shop, before=lambda page: page.route(
        "**/api/v1/search", lambda route: route.fulfill(json=answer, headers={"Access-Control-Allow-Origin": origin})))
    choose(page, photo[0])
    expect(results(page)).to_have_count(4)
    links = results(page).locator("a")
    expect(links.nth(0)).to_contain_text(hostile)
    assert [links.nth(place).get_attribute("href") for place in range(4)] == [None, "/products/a%2Fb%3Fc%23d", "/p/3", None]
    links.nth(0).click()
    assert page.evaluate("window.wounded") is None


def test_the_last_photo_counts(visit, shop, photo):
    """The first search is held back until the second is answered."""
    held = []

    def hold_the_first(route):
        if held:
            route.continue_()
        else:
            held.append(route)

    page = visit(shop, before=lambda page: page.route("**/api/v1/search", hold_the_first))
    choose(page, encoded(gradient(300, 400), "JPEG"))
    said(page, "Searching …")
    choose(page, photo[0])
    expect(results(page).first).to_contain_text(photo[1]["title"])
    with page.expect_response("**/api/v1/search"):
        held[0].continue_()
    page.wait_for_function("new Promise(done => setTimeout(() => done(true)))")
    expect(results(page).first).to_contain_text(photo[1]["title"])
