"""The ways to ask: file, drop, paste, text, sample, a picture of the catalogue."""

import base64
import io
import random
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from visitor import (
    assert_accessible, cards, choose, choose_top_k, drop, encoded, gradient, search_sample, search_text, searching, sent, shown_price, text_field,
)


def test_a_chosen_picture_is_answered_with_ranked_garments(page, api):
    with searching(page) as answers:
        choose(page, "query.jpg", api.picture())
    results = answers[0]["results"]
    assert 1 < len(results) <= 12
    expect(page.get_by_alt_text("The query: query.jpg")).to_be_visible()
    for card, result in zip(cards(page).all()[:4], results):
        expect(card.get_by_text(f"Rank {result['rank']}", exact=True)).to_have_count(1)
        expect(card.get_by_text(f"{result['score']:.3f}", exact=True)).to_be_visible()
        expect(card.get_by_role("heading")).to_have_text(result["product"].get("title") or "Untitled garment")
        if result["product"].get("price") is not None:
            expect(card).to_contain_text(shown_price(page, result["product"]))


def test_a_product_appears_once_however_many_pictures_it_has(page):
    found = [result["product"]["id"] for result in search_sample(page)["results"]]
    assert len(found) == len(set(found))


def test_the_time_of_each_step_is_told(page):
    answer = search_sample(page)
    timing = page.locator("dl.timing")
    for step in ("encode", "search", "total"):
        if step in answer["timing_ms"]:
            expect(timing).to_contain_text(step)
    expect(timing).to_contain_text("ms")


def test_pictures_of_results_are_loaded_lazily_in_fitting_widths_without_moving_the_page(page):
    search_sample(page)
    picture = cards(page).first.locator("img")
    expect(picture).to_have_attribute("loading", "lazy")
    assert picture.get_attribute("width") and picture.get_attribute("height")
    assert [part.split()[1] for part in picture.get_attribute("srcset").split(", ")] == ["160w", "320w", "640w"]
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth; }") > 0


def test_a_picture_can_be_dropped_anywhere(page, api):
    data = base64.b64encode(api.picture()).decode()
    with searching(page):
        drop(page, f"data.items.add(new File([Uint8Array.from(atob('{data}'), c => c.charCodeAt(0))], 'dropped.jpg', {{type: 'image/jpeg'}}))")
    assert sent(page)["image"]["name"] == "dropped.jpg"
    expect(page.get_by_alt_text("The query: dropped.jpg")).to_be_visible()


def test_a_result_dragged_back_onto_the_page_is_searched_with(page):
    image = search_sample(page)["results"][1]["image"]
    with searching(page):
        drop(page, f"data.setData('text/uri-list', new URL('{image['path']}?w=320', location.href).href)")
    assert sent(page)["image_id"] == str(image["id"])


def test_results_below_the_line_stand_under_a_heading_of_their_own(page):
    choose_top_k(page, 48)
    answer = search_sample(page)
    line = answer["close_match_score"]
    close = [result for result in answer["results"] if result["score"] >= line]
    assert 0 < len(close) < len(answer["results"])
    heading = page.get_by_role("heading", name="Further away")
    before = heading.locator("xpath=ancestor::li[1]/preceding-sibling::li")
    expect(before).to_have_count(len(close))
    expect(page.get_by_text(f"Scores below {line:.3f}")).to_be_visible()
    assert_accessible(page)


def test_a_picture_unlike_everything_has_no_close_match_and_says_so(page):
    noise = random.Random(4).randbytes(64 * 64 * 3)
    data = io.BytesIO()
    Image.frombytes("RGB", (64, 64), noise).save(data, "PNG")
    with searching(page) as answers:
        choose(page, "noise.png", data.getvalue(), "image/png")
    answer = answers[0]
    assert answer["results"][0]["score"] < answer["close_match_score"]
    expect(page.get_by_role("heading", name="No close match")).to_be_visible()
    assert_accessible(page)


def test_filters_ask_for_what_is_farther_away_and_nothing_is_set_apart(look, site, api):
    answer_all = search_sample(look(site))
    line = answer_all["close_match_score"]
    page = look(f"{site}?sample=0&k=48&filter=color:{api.facet('color')}")
    page.locator(".card:not(.skeleton)").first.wait_for()
    scores = [float(told) for told in page.locator(".grid .score > span:nth-child(3)").all_text_contents()]
    assert min(scores) < line
    expect(page.get_by_role("heading", name="Further away")).to_have_count(0)
    expect(page.get_by_role("heading", name="No close match")).to_have_count(0)
    expect(page.get_by_text("Among these filters nothing is a close match")).to_have_count(1 if max(scores) < line else 0)


def with_words(answer):
    return [result for result in answer["results"] if (result.get("words") or {}).get("matched")]


BY_LOOKS = "Found by looks alone"


def test_garments_without_a_word_of_the_text_stand_under_a_heading_of_their_own(look, site, api):
    page = look(f"{site}?model={api.text_model()['id']}&k=48")
    answer = search_text(page, api.facet("color"))
    named = with_words(answer)
    assert 0 < len(named) < len(answer["results"])
    heading = page.get_by_role("heading", name=BY_LOOKS)
    expect(heading.locator("xpath=ancestor::li[1]/preceding-sibling::li")).to_have_count(len(named))
    # Both sides keep the order of their ranks, and only what is below is dimmed.
    others = [result for result in answer["results"] if result not in named]
    shown = [int(told) for told in cards(page).locator(".rank > [aria-hidden]").all_inner_texts()]
    assert shown == [result["rank"] for result in named + others]
    dimmed = cards(page).locator(".frame img").evaluate_all("all => all.map(image => getComputedStyle(image).opacity < 1)")
    assert dimmed == [False] * len(named) + [True] * len(others)
    assert_accessible(page)
    # Another order mixes them, and is nothing but that order.
    with searching(page):
        page.get_by_label("Sort").select_option("newest")
    expect(page.get_by_role("heading", name=BY_LOOKS)).to_have_count(0)


def test_where_all_garments_have_a_word_of_the_text_none_is_set_apart(look, site, api):
    category = next(facet for facet in api.get("products?limit=1")["facets"]["category"] if facet["count"] >= 6)
    page = look(f"{site}?model={api.text_model()['id']}&k=6")
    answer = search_text(page, category["value"].split("/")[-1])
    assert with_words(answer) == answer["results"]
    expect(page.locator(".grid .line")).to_have_count(0)


@pytest.mark.parametrize("text, heading", [
    ("spaceship", "Nothing here is called “spaceship”"), ("xyzzy spaceship", "Nothing here is called “xyzzy” or “spaceship”"),
])
def test_a_text_of_which_no_garment_has_a_word_says_so_over_what_looks_nearest(look, site, api, text, heading):
    page = look(f"{site}?model={api.text_model()['id']}")
    answer = search_text(page, text)
    assert answer["results"] and not with_words(answer)
    expect(page.locator(".grid > li").first.get_by_role("heading")).to_have_text(heading)
    # It is said once.
    expect(page.get_by_text("No garment here has")).to_have_count(0)
    assert float(cards(page).first.locator(".frame img").evaluate("image => getComputedStyle(image).opacity")) < 1
    assert_accessible(page)


def test_a_word_that_only_garments_beyond_the_filters_have_is_not_called_unknown(look, site, api):
    kinds = [facet["value"] for facet in api.get("products?limit=1")["facets"]["category"]]
    page = look(f"{site}?model={api.text_model()['id']}&filter=category:{kinds[0]}")
    answer = search_text(page, kinds[-1].split("/")[-1])
    if with_words(answer):
        pytest.skip("garments of one kind are described by the name of the other")
    expect(page.locator(".grid > li").first.get_by_role("heading")).to_have_text(BY_LOOKS)
    expect(page.get_by_role("heading", name="Nothing here is called")).to_have_count(0)


def test_names_of_files_set_nothing_apart(page):
    def photos(route):
        held = route.fetch().json()
        for result in held["results"]:
            result["product"] = {"id": f"holiday/IMG_{result['rank']}.jpg", "title": f"IMG_{result['rank']}"}
        route.fulfill(json=held)

    page.route("**/api/v1/search", photos)
    search_text(page, "spaceship")
    expect(page.locator(".grid .line")).to_have_count(0)


def test_a_picture_and_a_text_have_no_line(page, api):
    api.takes("not_text")
    search_sample(page)
    search_text(page, "xyzzy")
    expect(page.locator(".grid .line")).to_have_count(0)


def test_what_holds_no_picture_is_refused_in_words_when_dropped(page):
    drop(page, "data.setData('text/uri-list', 'https://elsewhere.example/')")
    expect(page.get_by_role("alert")).to_contain_text("Drop a picture file")


def test_a_picture_is_pasted_from_the_clipboard(look, site, api):
    page = look(site, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("heading", name="In the catalogue").wait_for()
    page.evaluate(
        """async () => {
          const canvas = Object.assign(document.createElement('canvas'), {width: 90, height: 120});
          const pen = canvas.getContext('2d');
          pen.fillStyle = '#a33'; pen.fillRect(20, 20, 50, 90);
          const png = await new Promise(resolve => canvas.toBlob(resolve, 'image/png'));
          await navigator.clipboard.write([new ClipboardItem({'image/png': png})]);
        }"""
    )
    with searching(page):
        page.keyboard.press("Control+V")
    image = sent(page)["image"]
    assert (image["width"], image["height"]) == (90, 120)


def test_pasted_text_still_goes_into_the_text_field(look, site):
    page = look(site, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('a green skirt')")
    text_field(page).click()
    page.keyboard.press("Control+V")
    expect(text_field(page)).to_have_value("a green skirt")


COPIED_CELL = """async ([selector, withText]) => {
  const data = new DataTransfer();
  if (withText) { data.setData('text/plain', 'red dress'); data.setData('text/html', '<td>red dress</td>'); }
  const canvas = Object.assign(document.createElement('canvas'), {width: 40, height: 40});
  const bitmap = await new Promise(resolve => canvas.toBlob(resolve, 'image/png'));
  data.items.add(new File([bitmap], 'image.png', {type: 'image/png'}));
  const target = document.querySelector(selector);
  target.focus();
  const event = new ClipboardEvent('paste', {bubbles: true, cancelable: true, clipboardData: data});
  target.dispatchEvent(event);
  return event.defaultPrevented;
}"""


def test_cells_of_a_spreadsheet_are_pasted_into_the_text_field_as_text_though_a_bitmap_is_beside_it(look, site):
    page = look(site)
    text_field(page).wait_for()
    assert page.evaluate(COPIED_CELL, ["input[type=search]", True]) is False, "the browser pastes the text itself"


def test_a_bitmap_alone_is_the_query_wherever_it_is_pasted(look, site):
    page = look(site)
    text_field(page).wait_for()
    with searching(page):
        assert page.evaluate(COPIED_CELL, ["input[type=search]", False]) is True
    assert (sent(page)["image"]["width"], sent(page)["image"]["height"]) == (40, 40)


def test_a_text_that_was_cut_is_told(look, site, api):
    page = look(f"{site}?model={api.text_model()['id']}")
    search_text(page, "a red dress")
    expect(page.get_by_text("longer than this model reads")).to_have_count(0)
    search_text(page, "a red dress with " + "so " * 100 + "long sleeves")
    expect(page.get_by_text("longer than this model reads")).to_be_visible()


def test_enter_searches_by_text(look, site, api):
    page = look(f"{site}?model={api.text_model()['id']}")
    answer = search_text(page, "a red dress with long sleeves")
    assert sent(page)["text"] == "a red dress with long sleeves"
    assert answer["results"]
    expect(page.get_by_role("heading", name="“a red dress with long sleeves”")).to_be_visible()
    assert "text=a+red+dress" in page.url
    expect(text_field(page)).to_be_focused()


def test_text_is_offered_only_by_models_that_take_it(look, site, api):
    pictures_only = [card for card in api.models()["models"] if card.get("takes_text") is False]
    if not pictures_only:
        page = look(site)
        expect(text_field(page)).to_be_enabled()
        return
    page = look(f"{site}?model={pictures_only[0]['id']}")
    expect(text_field(page)).to_be_disabled()
    expect(page.get_by_text("takes pictures only")).to_be_visible()


def test_a_sample_is_searched_as_if_it_had_been_uploaded(page, api):
    api.samples()
    search_sample(page)
    assert sent(page)["image"]["bytes"] == len(api.bytes("api/v1/samples/0"))
    assert "sample=0" in page.url


def test_more_like_this_searches_with_the_picture_of_a_result(page):
    result = search_sample(page)["results"][1]
    with searching(page) as answers:
        cards(page).nth(1).get_by_role("button", name="More like").click()
    assert sent(page)["image_id"] == str(result["image"]["id"])
    assert f"image={result['image']['id']}" in page.url
    assert answers[0]["results"]
    expect(page.get_by_alt_text(re.compile("The query"))).to_be_visible()
    expect(page.locator("#content")).to_be_focused()


def test_the_query_is_removed_and_the_first_screen_comes_back(page):
    search_sample(page)
    page.get_by_role("button", name="Clear the query").click()
    expect(page.get_by_role("heading", name="Show it a garment")).to_be_visible()
    expect(page.get_by_role("button", name="Choose a picture")).to_be_visible()


def test_it_is_said_what_happens_to_an_upload(page):
    expect(page.get_by_text("is used for this search only and is not stored on the server")).to_be_visible()


@pytest.mark.parametrize("form", ["BMP", "AVIF"])
def test_what_the_browser_can_show_and_not_every_server_reads_is_sent_as_jpeg(page, form):
    with searching(page):
        choose(page, f"query.{form.lower()}", encoded(gradient(120, 160), form), f"image/{form.lower()}")
    image = sent(page)["image"]
    assert image["jpeg"] and image["name"] == "query.jpg"
    assert (image["width"], image["height"]) == (120, 160)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_that_every_server_reads_is_sent_as_it_is(page, form):
    data = encoded(gradient(300, 400), form)
    with searching(page):
        choose(page, f"query.{form.lower()}", data, f"image/{form.lower()}")
    assert (sent(page)["image"]["bytes"], sent(page)["image"]["name"]) == (len(data), f"query.{form.lower()}")


def test_a_tiff_that_the_browser_cannot_show_is_sent_as_it_is_and_found_with(page, api):
    # Whether a server reads TIFF is up to its libraries: it finds something, or says that it doesn't read it.
    data = encoded(gradient(300, 400), "TIFF")
    with page.expect_response(lambda response: response.url.endswith("/search")) as awaited:
        choose(page, "scan.tif", data, "image/tiff")
    image = sent(page)["image"]
    assert (image["name"], image["bytes"], image["width"]) == ("scan.tif", len(data), None)
    expect(page.get_by_text("This browser can't show this picture. It is sent to the server as it is.")).to_be_visible()
    if awaited.value.status == 200:
        expect(cards(page).first).to_be_visible()
    else:
        assert awaited.value.status == 415
        expect(page.get_by_role("alert")).to_contain_text("The server does not read this TIFF picture")
    assert_accessible(page)


def test_a_price_in_words_becomes_a_filter(page, api):
    prices = sorted(product["price"] for product in api.get("products?limit=200")["products"] if product.get("price") is not None)
    if not prices:
        pytest.skip("the catalogue has no prices")
    bound = int(prices[len(prices) // 2])
    answer = search_text(page, f"dress under {bound}")
    body = sent(page)
    assert (body["text"], body["filter"]) == ("dress", f"price:..{bound}")
    assert answer["results"] and all(result["product"]["price"] <= bound for result in answer["results"])
    expect(text_field(page)).to_have_value("dress")
    with searching(page):
        text_field(page).fill("dress between 30 and 60 euros")
        text_field(page).press("Enter")
    assert (sent(page)["text"], sent(page)["filter"]) == ("dress", "price:30..60")
    expect(text_field(page)).to_have_value("dress")
    with searching(page):
        page.get_by_role("button", name="Remove filter Price").click()
    assert "filter" not in sent(page)


@pytest.mark.parametrize("text", ["over the knee", "40 under", "a top for under 40cm"])
def test_what_only_sounds_like_a_price_is_searched_as_typed(page, text):
    search_text(page, text)
    assert sent(page)["text"] == text and "filter" not in sent(page)


def test_a_long_text_is_told_how_much_of_it_was_read(page):
    def answer(route):
        held = route.fetch().json()
        route.fulfill(json={**held, "truncated_text": True, "text_tokens": 91, "text_tokens_read": 77})

    page.route("**/api/v1/search", answer)
    search_text(page, "a dress")
    expect(page.get_by_text("77 of its 91 tokens were used")).to_be_visible()


def test_a_large_photo_is_scaled_down_upright(page):
    photo = gradient(3000, 1500)
    exif = photo.getexif()
    exif[0x0112] = 6  # The camera was turned: rows are columns.
    with searching(page):
        choose(page, "photo.jpg", encoded(photo, "JPEG", exif=exif))
    image = sent(page)["image"]
    assert image["jpeg"] and (image["width"], image["height"]) == (1024, 2048)


@pytest.mark.parametrize("form", ["WEBP", "PNG"])
def test_a_picture_that_only_some_programs_turn_is_sent_as_it_is_seen(page, form):
    photo = gradient(300, 400)
    exif = photo.getexif()
    exif[0x0112] = 6
    with searching(page):
        choose(page, f"query.{form.lower()}", encoded(photo, form, exif=exif), f"image/{form.lower()}")
    image = sent(page)["image"]
    assert image["jpeg"] and image["name"] == "query.jpg"
    seen = page.locator(".preview img").evaluate("async image => { await image.decode(); return [image.naturalWidth, image.naturalHeight]; }")
    assert [image["width"], image["height"]] == seen


def test_a_heavy_file_is_encoded_anew_before_it_is_sent(page):
    noise = Image.frombytes("RGB", (1600, 1500), random.Random(1).randbytes(1600 * 1500 * 3))
    data = encoded(noise, "PNG")
    assert len(data) > 6 << 20
    with searching(page):
        choose(page, "noise.png", data, "image/png")
    image = sent(page)["image"]
    assert image["jpeg"] and image["bytes"] < len(data) / 2
    assert (image["width"], image["height"]) == (1600, 1500)


def test_a_newer_query_is_not_overtaken_by_a_slower_one(look, site, api):
    page = look(f"{site}?model={api.text_model()['id']}")
    text_field(page).fill("slow")
    text_field(page).press("Enter")
    expect(page.get_by_role("status").filter(has_text="Searching")).to_be_visible()
    text_field(page).fill("a dress")
    with searching(page) as answers:
        text_field(page).press("Enter")
    page.wait_for_timeout(1500)
    shown = cards(page).locator(".score").all_text_contents()
    for told, result in zip(shown, answers[0]["results"], strict=True):
        assert f"{result['score']:.3f}" in told and result["product"]["id"] in told
    expect(page.get_by_role("status").filter(has_text="for “a dress”")).to_be_visible()
