"""From a first answer to a better one: parts of pictures, several terms, unwanted ones, kinds, colours, order, judgements, suggestions."""

import re
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.sync_api import expect

from visitor import assert_accessible, cards, chip, choose, encoded, gradient, menu, search_sample, search_text, searching, sent, text_field


def crop_of(page):
    return [float(part) for part in sent(page)["crop"].split(",")]


@pytest.fixture
def cropping(api):
    api.takes("crop")


def test_a_part_is_drawn_with_the_mouse_moved_and_taken_away(page, cropping):
    whole = search_sample(page)
    picture = page.locator(".cropping img")
    picture.evaluate("image => image.decode()")
    box = picture.bounding_box()

    def at(x, y):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)

    at(0.2, 0.3)
    page.mouse.down()
    at(0.7, 0.8)
    with searching(page) as answers:
        page.mouse.up()
    assert crop_of(page) == pytest.approx([0.2, 0.3, 0.5, 0.5], abs=0.02)
    assert [hit["score"] for hit in answers[0]["results"]] != [hit["score"] for hit in whole["results"]]
    assert "crop=" in page.url
    at(0.4, 0.5)
    page.mouse.down()
    at(0.5, 0.4)
    with searching(page):
        page.mouse.up()
    assert crop_of(page) == pytest.approx([0.3, 0.2, 0.5, 0.5], abs=0.02)
    # A corner keeps the one across in its place.
    at(0.8, 0.7)
    page.mouse.down()
    at(0.9, 0.9)
    with searching(page):
        page.mouse.up()
    assert crop_of(page) == pytest.approx([0.3, 0.2, 0.6, 0.7], abs=0.02)
    with searching(page):
        page.reload()
    assert crop_of(page) == pytest.approx([0.3, 0.2, 0.6, 0.7], abs=0.02)
    with searching(page):
        page.get_by_role("button", name="Whole picture").click()
    assert "crop" not in sent(page) and "crop=" not in page.url


def test_a_part_is_made_with_the_keyboard_and_told(page, cropping):
    search_sample(page)
    box = page.get_by_role("application", name="Crop box")
    told = page.get_by_role("status").filter(has_text=re.compile("whole picture|wide and"))
    expect(told).to_have_text("The whole picture is searched with.")
    box.focus()
    with searching(page):
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowLeft", "Shift+ArrowUp"):
            page.keyboard.press(key)
    # It begins with a tenth of each side left out.
    assert crop_of(page) == pytest.approx([0.14, 0.12, 0.78, 0.78], abs=0.001)
    expect(told).to_have_text("From 14 % left and 12 % top, 78 % wide and 78 % high.")
    with searching(page):
        page.keyboard.press("Escape")
    assert "crop" not in sent(page)
    expect(box).to_be_focused()


def test_a_part_is_drawn_by_touch_in_a_sheet(look, site, cropping):
    page = look(site, width=390, height=780, has_touch=True, is_mobile=True)
    search_sample(page)
    page.get_by_role("button", name="Crop", exact=True).tap()
    picture = page.get_by_role("dialog").locator(".cropping img")
    picture.evaluate("image => image.decode()")
    box = picture.bounding_box()
    session = page.context.new_cdp_session(page)

    def touch(kind, x=None, y=None):
        points = [] if x is None else [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0.25, 0.25)
    touch("touchMove", 0.5, 0.5)
    touch("touchMove", 0.75, 0.75)
    touch("touchEnd")
    with searching(page):
        # No tap: the browser takes one right after a flick for the end of the flick.
        page.get_by_role("button", name="Search with this part", exact=True).click()
    assert crop_of(page) == pytest.approx([0.25, 0.25, 0.5, 0.5], abs=0.02)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_picture_and_a_text_are_one_query(page, api):
    api.takes("not_text")
    search_sample(page)
    search_text(page, "red")
    body = sent(page)
    assert body["text"] == "red" and body["image"]["bytes"] > 0
    expect(page.get_by_alt_text(re.compile("The query"))).to_be_visible()
    terms = page.get_by_role("list", name="What is searched for").get_by_role("listitem")
    expect(terms).to_have_count(2)
    with searching(page):
        page.get_by_role("button", name="Less like “red”").click()
    body = sent(page)
    assert body["not_text"] == "red" and "text" not in body
    with searching(page):
        page.get_by_role("button", name="Remove “red” from the query").click()
    assert "not_text" not in sent(page)
    expect(terms).to_have_count(0)


def test_a_stroke_before_a_text_asks_for_less_of_it(page, api):
    api.takes("not_text")
    search_text(page, "dress")
    with searching(page):
        text_field(page).fill("-red")
        text_field(page).press("Enter")
    assert (sent(page)["text"], sent(page)["not_text"]) == ("dress", "red")
    expect(text_field(page)).to_have_value("dress")
    # The only wanted term can't be turned, and nothing is left when it goes.
    expect(page.get_by_role("button", name="Less like “dress”")).to_be_disabled()
    page.get_by_role("button", name="Remove “dress” from the query").click()
    expect(page.get_by_role("heading", name="Show it a garment")).to_be_visible()


def test_several_pictures_are_one_query(page, api):
    api.takes("not_image")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a picture").click()
    with searching(page):
        chooser.value.set_files([{"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": api.picture()} for name in ("one", "two")])
    assert [image["name"] for image in sent(page)["image"]] == ["one.jpg", "two.jpg"]
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a picture").click()
    with searching(page):
        chooser.value.set_files({"name": "three.jpg", "mimeType": "image/jpeg", "buffer": api.picture()})
    assert len(sent(page)["image"]) == 3
    page.get_by_role("button", name="Show two.jpg").click()
    expect(page.get_by_alt_text("The query: two.jpg")).to_be_visible()
    # Another picture takes the place of the one that is shown.
    with searching(page):
        choose(page, "four.jpg", api.picture())
    assert sorted(image["name"] for image in sent(page)["image"]) == ["four.jpg", "one.jpg", "three.jpg"]
    assert_accessible(page)


def test_less_like_a_result_is_a_term_that_can_be_taken_away(page, api):
    api.takes("not_image_id")
    result = search_sample(page)["results"][1]
    with searching(page) as answers:
        cards(page).nth(1).get_by_role("button", name="Less like").click()
    assert sent(page)["not_image_id"] == str(result["image"]["id"])
    assert answers[0]["results"]
    chips = page.get_by_role("list", name="What is searched for")
    expect(chips).to_contain_text(result["product"]["title"])
    with searching(page):
        page.reload()
    assert sent(page)["not_image_id"] == str(result["image"]["id"])
    with searching(page):
        chips.get_by_role("button", name=re.compile("^Remove")).last.click()
    assert "not_image_id" not in sent(page)


def test_liked_and_left_out_garments_refine_the_answer(page, api):
    api.takes("disliked")
    results = search_sample(page)["results"]
    with searching(page):
        cards(page).nth(2).get_by_role("button", name="I like").click()
    liked = results[2]["product"]["id"]
    assert sent(page)["liked"] == liked
    with searching(page) as answers:
        cards(page).filter(has_not_text=liked).first.get_by_role("button", name="Leave out").click()
    gone = sent(page)["disliked"]
    assert gone not in [result["product"]["id"] for result in answers[0]["results"]]
    expect(page.get_by_text("1 liked, 1 left out")).to_be_visible()
    expect(page.locator("#content")).to_be_focused()
    with searching(page):
        page.get_by_role("button", name="Forget what I liked").click()
    assert "liked" not in sent(page) and "disliked" not in sent(page)


def test_more_like_this_is_called_by_the_garments_title(page):
    result = search_sample(page)["results"][1]
    with searching(page):
        cards(page).nth(1).get_by_role("button", name="More like").click()
    expect(page.locator(".preview figcaption .name")).to_have_text(result["product"]["title"])


def test_a_kind_among_the_results_filters_with_one_tap(page):
    answer = search_sample(page)
    counts = {}
    for result in answer["results"]:
        counts[result["product"]["category"]] = counts.get(result["product"]["category"], 0) + 1
    if len(counts) < 2:
        pytest.skip("all results are of one kind")
    kinds = page.get_by_role("group", name="Kinds among the results")
    category, count = min(counts.items(), key=lambda item: item[1])
    button = kinds.get_by_role("button", name=f"{category.split('/')[-1]} {count}")
    with searching(page) as answers:
        button.click()
    assert sent(page)["filter"] == f"category:{category}"
    assert {result["product"]["category"] for result in answers[0]["results"]} == {category}
    # The other kinds stay in sight as they were.
    expect(kinds.get_by_role("button", pressed=True)).to_have_count(1)
    expect(kinds.get_by_role("button")).to_have_count(min(len(counts), 6) + 1)
    with searching(page):
        kinds.get_by_role("button", name="All kinds").click()
    assert "filter" not in sent(page)


def test_results_are_sorted_as_chosen(page, api):
    api.takes("sort")
    search_sample(page)
    with searching(page) as answers:
        page.get_by_label("Sort").select_option("price")
    assert sent(page)["sort"] == "price" and "sort=price" in page.url
    prices = [result["product"]["price"] for result in answers[0]["results"] if result["product"].get("price") is not None]
    assert prices == sorted(prices)
    expect(page.get_by_role("heading", name="Further away")).to_have_count(0)
    with searching(page):
        page.get_by_label("Sort").select_option("relevance")
    assert "sort" not in sent(page)


def test_the_same_colour_or_another_is_one_tap_away(page, api):
    answer = search_sample(page)
    colors = page.get_by_role("group", name="Colour", exact=True)
    known = {facet["value"] for facet in api.get("products?limit=1")["facets"]["color"]}
    if answer.get("query_colors"):
        name = answer["query_colors"][0]["name"]
        with searching(page):
            colors.get_by_role("button", name=f"Same colour: {name}").click()
        # A colour that the catalogue does not name is asked for in words.
        told = sent(page)
        assert told["filter"] == f"color:{name}" if name in known else told["text"] == name
    colors.get_by_role("button", name="In another colour").click()
    assert_accessible(page)
    with searching(page) as answers:
        colors.get_by_role("button", name="This, in red").click()
    # One colour takes the place of the other.
    assert sent(page)["filter"] == "color:red"
    assert {result["image"]["color"] for result in answers[0]["results"]} == {"red"}


def test_more_results_are_shown_when_wanted(page):
    search_sample(page)
    with searching(page) as answers:
        page.get_by_role("button", name="Show more").click()
    assert sent(page)["top_k"] == "24" and len(answers[0]["results"]) > 12


# Suggestions


def suggested(page):
    # A menu's entries are options as well.
    return page.locator(".suggestions").get_by_role("option")


@pytest.fixture
def suggesting(page, api):
    described = api.description()
    if described and "/api/v1/suggest" not in described["paths"]:
        pytest.skip("the server has no suggestions")
    return text_field(page)


def test_suggestions_are_walked_through_and_chosen_by_keyboard(page, suggesting):
    suggesting.fill("dres")
    options = suggested(page)
    expect(options.first).to_be_visible()
    expect(suggesting).to_have_attribute("aria-expanded", "true")
    assert_accessible(page)
    suggesting.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert suggesting.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    suggesting.press("ArrowUp")
    assert suggesting.get_attribute("aria-activedescendant") is None
    suggesting.press("ArrowDown")
    # A kind that several categories have may stand before the category.
    for _ in range(options.count()):
        if "Dresses" in options.and_(page.locator("[aria-selected=true]")).inner_text():
            break
        suggesting.press("ArrowDown")
    expect(options.and_(page.locator("[aria-selected=true]"))).to_contain_text("Dresses")
    suggesting.press("Enter")
    expect(page.get_by_role("button", name="Remove filter")).to_contain_text("Dresses")
    expect(options).to_have_count(0)
    assert "filter=category" in page.url


def test_values_that_have_the_words_together_become_filters_at_once(page, api, suggesting):
    product = next(product for product in api.get("products?limit=200")["products"] if product.get("category") and product["image"].get("color"))
    color, kind = product["image"]["color"], product["category"].split("/")[-1]
    suggesting.fill(f"{color} {kind[:-2].lower()}")
    option = suggested(page).filter(has_text=f"{color} · {kind}").first
    expect(option.locator(".kind")).to_have_text(re.compile(r"^Filters · [1-9]\d*$"))
    assert_accessible(page)
    count = int(option.locator(".kind").inner_text().split("· ")[1])
    option.click()
    expect(page.get_by_role("button", name="Remove filter")).to_have_count(2)
    assert "filter=color" in page.url and "filter=category" in page.url
    expect(page.get_by_text(re.compile(rf"^{count} of {count}$"))).to_be_visible()
    # What is set already is not set again.
    suggesting.fill(f"{color} {kind[:-2].lower()}")
    suggested(page).filter(has_text=f"{color} · {kind}").first.click()
    expect(page.get_by_role("button", name="Remove filter")).to_have_count(2)


def test_a_garment_is_suggested_by_the_beginning_of_its_id(page, api, suggesting):
    id = api.get("products?limit=1")["products"][0]["id"]
    suggesting.fill(id[:-1].lower())
    suggested(page).filter(has_text="Garment").first.click()
    expect(page.get_by_role("dialog").get_by_role("heading").first).to_be_visible()
    assert f"show={id[:-1]}" in page.url


def test_a_suggested_garment_opens_and_escape_leaves_the_text(page, suggesting):
    suggesting.fill("dres")
    expect(suggested(page).first).to_be_visible()
    suggesting.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    expect(suggesting).to_have_value("dres")
    suggesting.press("ArrowDown")
    option = suggested(page).filter(has_text="Garment").first
    title = option.locator(".name").inner_text()
    option.click()
    expect(page.get_by_role("dialog").get_by_role("heading").first).to_have_text(title)


def test_a_text_is_searched_as_typed_where_no_suggestion_is_chosen(page, suggesting):
    suggesting.fill("dress")
    expect(suggested(page).first).to_be_visible()
    with searching(page):
        suggesting.press("Enter")
    assert sent(page)["text"] == "dress"
    expect(suggested(page)).to_have_count(0)


def test_the_placeholders_own_example_finds_what_it_names(page, api):
    expect(text_field(page)).to_have_attribute("placeholder", re.compile("for example .+ .+"))
    example = text_field(page).get_attribute("placeholder").removeprefix("for example ")
    color, kind = example.split(" ", 1)
    answer = search_text(page, example)
    first = answer["results"][0]
    # The commonest colour and the commonest category: where no garment has both, the first has one of them.
    if api.get(f"products?limit=1&q={quote(example)}")["total"] == 0:
        assert kind in first["product"]["category"].lower() or color in (first["product"].get("colors") or [first["image"]["color"]])
        return
    assert kind in first["product"]["category"].lower()
    if "words" in first:
        assert color in (first["product"].get("colors") or [first["image"]["color"]])


def test_words_that_no_garment_has_are_named(page):
    answer = search_text(page, "dress xyzzy")
    if "unknown_words" not in answer:
        pytest.skip("the server does not look words up")
    expect(page.get_by_text("No garment here has the word “xyzzy”.")).to_be_visible()
    assert_accessible(page)


def test_counts_are_those_within_the_filters(page, api):
    category, color = api.facet("category"), api.facet("color")
    within = api.get(f"products?limit=1&filter=category:{category}")["facets"]["color"]
    chip(page, "Category", category).click()
    page.keyboard.press("Escape")
    count = next((facet["count"] for facet in within if facet["value"] == color), 0)
    menu(page, "Colour")
    expect(page.locator(".panel").get_by_role("button", name=f"{color} {count}", exact=True)).to_be_visible()


def test_a_large_photo_shows_that_it_is_read(page):
    # Decoding is held back, so that the state can be seen however fast the machine is.
    page.evaluate(
        """() => {
          const real = window.createImageBitmap;
          window.release = null;
          window.createImageBitmap = (...given) => new Promise(done => { window.release = () => done(real(...given)); });
        }"""
    )
    choose(page, "photo.jpg", encoded(gradient(3000, 2000), "JPEG"))
    expect(page.locator(".drop .spinner")).to_be_visible()
    expect(page.locator(".drop")).to_contain_text("Reading the picture")
    with searching(page):
        page.evaluate("window.release()")
    expect(page.locator(".drop .spinner")).to_have_count(0)


def test_the_garments_of_a_picture_are_offered_as_dots(page, cropping, api):
    api.describes("/api/v1/regions")
    # Two patches of colour far apart on a plain ground.
    picture = Image.new("RGB", (900, 500), (246, 244, 240))
    picture.paste((150, 30, 40), (70, 70, 390, 430))
    picture.paste((30, 50, 140), (530, 70, 850, 430))
    with searching(page):
        choose(page, "two.png", encoded(picture, "PNG"), "image/png")
    dots = page.get_by_role("button", name=re.compile("^Search with this part"))
    expect(dots).to_have_count(2)
    assert_accessible(page)
    with searching(page):
        dots.first.click()
    x, y, width, height = crop_of(page)
    assert width < 0.6 and height > 0.5
    expect(dots.first).to_have_attribute("aria-pressed", "true")
    # The other one by keyboard, then the whole picture again.
    with searching(page):
        dots.nth(1).press("Enter")
    assert abs(crop_of(page)[0] - x) > 0.3
    with searching(page):
        dots.nth(1).press("Enter")
    assert "crop" not in sent(page)


def test_a_picture_of_one_garment_has_no_dots(page, cropping, api):
    api.describes("/api/v1/regions")
    picture = Image.new("RGB", (400, 600), (120, 40, 60))
    with page.expect_response(lambda response: response.url.endswith("/regions")) as answered, searching(page):
        choose(page, "one.png", encoded(picture, "PNG"), "image/png")
    assert answered.value.json()["regions"] == []
    expect(page.get_by_role("button", name=re.compile("^Search with this part"))).to_have_count(0)


def test_why_a_garment_is_a_result_is_told_and_shown(page, api):
    api.describes("/api/v1/explain")
    search_sample(page)
    cards(page).first.get_by_role("button").first.click()
    dialog = page.get_by_role("dialog")
    why = dialog.get_by_role("button", name="Why this result?")
    with page.expect_response(lambda response: response.url.endswith("/explain") and response.status == 200):
        why.click()
    reasons = dialog.get_by_role("region", name="Why this result")
    expect(reasons.locator("canvas")).to_have_count(2)
    expect(reasons).to_contain_text("Most is lost where the")
    # Something of each map is strongly coloured.
    strongest = reasons.locator("canvas").evaluate_all(
        "all => all.map(canvas => Math.max(...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.filter((_, at) => at % 4 === 3)))")
    assert min(strongest) > 150
    assert_accessible(page)
    dialog.get_by_role("button", name="Hide the reasons").click()
    expect(reasons).to_have_count(0)


def test_a_text_has_no_reasons_of_pictures(page):
    search_text(page, "dress")
    cards(page).first.get_by_role("button").first.click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Find garments like this")).to_be_visible()
    expect(page.get_by_role("button", name="Why this result?")).to_have_count(0)
