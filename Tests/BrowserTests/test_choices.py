"""Models, numbers of results, filters, and the address that keeps them."""

import re

import pytest
from playwright.sync_api import expect

from visitor import (
    assert_accessible, assert_no_sideways_scroll, cards, chip, choose, choose_top_k, close, menu, model_panel, search_sample, searching, sent, text_field,
)


def select_model(page, api, card):
    panel = model_panel(page)
    if len({other["architecture"] for other in api.models()["models"]}) > 1:
        panel.get_by_label("Architecture").select_option(card["architecture"])
    variant = panel.get_by_label("Variant")
    if variant.count() and variant.input_value() != card["id"]:
        variant.select_option(card["id"])
    return panel


def test_another_model_runs_the_query_again(page, api):
    second = api.second_model()
    first = search_sample(page)
    expect(page.locator(".grid")).to_have_attribute("data-model", first["model"])
    select_model(page, api, second)
    # Its answer is in the page, not only on its way.
    expect(page.locator(".grid")).to_have_attribute("data-model", second["id"])
    assert sent(page)["model"] == second["id"]
    assert f"model={second['id']}" in page.url
    expect(page.locator(".grid")).to_have_attribute("aria-busy", "false")


def test_every_model_can_be_chosen_by_architecture_and_variant(page, api):
    cards = api.models()["models"]
    for card in cards:
        panel = select_model(page, api, card)
        alike = [other for other in cards if other["architecture"] == card["architecture"]]
        # A menu with a single entry is none.
        expect(panel.get_by_label("Variant")).to_have_count(1 if len(alike) > 1 else 0)
        expect(panel.locator(".card-of-model")).to_contain_text(card["fingerprint"][:12])
        close(page)


def test_models_have_names_that_people_read(page, api):
    if any(card["architecture"].startswith("RN-") for card in api.models()["models"]):
        expect(model_panel(page).get_by_label("Architecture").locator("option", has_text="ResNet (small)")).to_have_count(1)
    else:
        expect(page.get_by_role("button", name="Model:")).not_to_contain_text("_")


def test_the_number_of_results_is_chosen(page):
    assert len(search_sample(page)["results"]) <= 12
    with searching(page) as answers:
        choose_top_k(page, 6)
    assert len(answers[0]["results"]) <= 6
    assert "k=6" in page.url


def test_the_model_panel_tells_what_the_checkpoint_says(page, api):
    card = api.default_model()
    panel = model_panel(page)
    expect(panel).to_contain_text(card["id"])
    expect(panel).to_contain_text(card["architecture"])
    expect(panel).to_contain_text(f"{card['preprocessing']['side']} × {card['preprocessing']['side']} px")
    expect(panel).to_contain_text(card["fingerprint"][:12])
    expect(panel).to_contain_text(str(card["embedding_size"]))
    training = card.get("training")
    if not training:
        expect(panel).to_contain_text("does not record its training")
        return
    for key in ("recipe", "optimizer"):
        if training.get(key):
            expect(panel).to_contain_text(training[key])
    for name, value in (training.get("validation") or {}).items():
        # Halves are rounded up, as the page does.
        expect(panel).to_contain_text(f"{value + 1e-9:.3f}")
        if "_" in name:
            expect(panel).not_to_contain_text(name.replace("_", " "))


def with_curve(page, scores):
    """The models' cards, as if each epoch of the first one's training had been scored like this."""
    def models(route):
        held = route.fetch().json()
        card = next(card for card in held["models"] if card["id"] == held["default"])
        card["training"] = {**(card.get("training") or {}), "curve": [{"epoch": epoch, "score": score} for epoch, score in enumerate(scores, 1)]}
        route.fulfill(json=held)

    page.route("**/api/v1/models", models)
    page.reload()
    return model_panel(page)


@pytest.mark.parametrize("scores, told", [
    ((0.41, 0.625, 0.8173, 0.79), "first 0.410 after epoch 1, best 0.817 after epoch 3, last 0.790 after epoch 4."),
    # Nothing was learned: a level line, whose first epoch is as good as any.
    ((0.5, 0.5), "first 0.500 after epoch 1, best 0.500 after epoch 1, last 0.500 after epoch 2."),
])
@pytest.mark.parametrize("width, scheme", [(360, "dark"), (1280, "light")])
def test_the_validation_scores_of_a_training_are_drawn_and_told(look, site, scores, told, width, scheme):
    panel = with_curve(look(site, width=width, height=780, color_scheme=scheme, reduced_motion="reduce"), scores)
    chart = panel.get_by_role("img", name=f"Validation score: {told}")
    chart.scroll_into_view_if_needed()
    expect(chart).to_be_visible()
    assert len(chart.locator("polyline").get_attribute("points").split()) == len(scores)
    # Every word of it stands within the drawing, and the best epoch is named.
    expect(chart).to_contain_text(f"best: epoch {scores.index(max(scores)) + 1}")
    outside = chart.evaluate(
        """chart => {
          const frame = chart.getBoundingClientRect();
          const leaves = box => box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
          return [...chart.querySelectorAll('text, circle')].filter(part => leaves(part.getBoundingClientRect())).map(part => part.textContent);
        }""")
    assert outside == []
    assert_accessible(panel.page)
    assert_no_sideways_scroll(panel.page)


def test_a_single_epoch_is_no_curve(page):
    panel = with_curve(page, (0.5,))
    expect(panel).to_contain_text("Training")
    expect(panel.get_by_role("img")).to_have_count(0)


def test_the_whole_fingerprint_is_copied_though_only_its_beginning_is_shown(look, site, api):
    page = look(site, permissions=["clipboard-read", "clipboard-write"])
    model_panel(page)
    page.get_by_role("button", name="Copy the fingerprint").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == api.default_model()["fingerprint"]


def test_a_category_narrows_the_search(page, api):
    value = api.facet("category")
    search_sample(page)
    with searching(page) as answers:
        chip(page, "Category", value).click()
    assert answers[0]["results"]
    for result in answers[0]["results"]:
        assert (result["product"]["category"] + "/").startswith(value + "/")
    assert "filter=category" in page.url
    with searching(page):
        # The menu hangs over what is chosen.
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Remove filter").click()
    assert "filter=" not in page.url


def test_two_values_of_a_key_widen_the_search(page, api):
    values = [facet["value"] for facet in api.get("products?limit=1")["facets"].get("category", [])][:2]
    search_sample(page)
    for value in values:
        with searching(page) as answers:
            chip(page, "Category", value).click()
        expect(page.locator(".popover .menu").first).to_have_attribute("aria-expanded", "true")
    found = {result["product"]["category"] for result in answers[0]["results"]}
    assert all(any((category + "/").startswith(value + "/") for value in values) for category in found)
    assert sent(page)["filter"]


def test_bounds_of_the_price_narrow_the_search_in_either_order(page, api):
    prices = sorted(product["price"] for product in api.get("products?limit=24")["products"] if product.get("price") is not None)
    if not prices:
        pytest.skip("the catalogue has no prices")
    low, high = round(prices[0]), round(prices[len(prices) // 2]) + 1
    search_sample(page)
    menu(page, "Price")
    page.get_by_role("textbox", name="Price from").fill(str(high))
    with searching(page):
        page.get_by_role("textbox", name="Price from").press("Enter")
    page.get_by_role("textbox", name="Price to").fill(str(low))
    with searching(page) as answers:
        page.get_by_role("textbox", name="Price to").press("Enter")
    expect(page.get_by_role("textbox", name="Price from")).to_have_value(str(low))
    for result in answers[0]["results"]:
        assert low <= result["product"]["price"] <= high


def test_only_garments_in_stock_are_shown_when_asked_for(page):
    search_sample(page)
    with page.expect_response(lambda response: response.url.endswith("/search")) as awaited:
        page.get_by_label("In stock only").check()
    assert all(result["product"]["in_stock"] is True for result in awaited.value.json()["results"])


def test_a_minimum_score_leaves_weaker_garments_out(page):
    scores = [result["score"] for result in search_sample(page)["results"]]
    menu(page, "More")
    slider = page.get_by_role("slider", name="Minimum score")
    with page.expect_response(lambda response: response.url.endswith("/search")) as awaited:
        slider.focus()
        slider.press("End")
        slider.press("ArrowLeft")
    answer = awaited.value.json()
    assert all(result["score"] >= 0.95 - 1e-6 for result in answer["results"])
    assert len(answer["results"]) <= len(scores)
    assert "min=0.95" in page.url


def test_a_filter_that_nothing_matches_says_so_and_shows_the_way_on(look, site, api):
    api.samples()
    page = look(f"{site}?sample=0&filter=price:99999999..")
    expect(page.get_by_role("heading", name="No matches")).to_be_visible()
    with searching(page) as answers:
        page.get_by_role("button", name="Search without filters").click()
    assert answers[0]["results"]


def test_the_catalogue_can_be_walked_through_and_filtered(page, api):
    total = api.get("products?limit=1")["total"]
    expect(cards(page)).to_have_count(min(total, 24))
    if total > 24:
        page.get_by_role("button", name="Show more").click()
        expect(cards(page)).to_have_count(min(total, 48))
    value = api.facet("category")
    passing = api.get(f"products?limit=1&filter=category:{value}")["total"]
    chip(page, "Category", value).click()
    expect(page.get_by_text(re.compile(f"^{passing} garments?$"))).to_be_visible()


def test_a_deep_link_restores_text_model_number_and_filters(look, site, api):
    model, value = api.text_model(), api.facet("category")
    with_all = f"{site}?text=a+blue+dress&model={model['id']}&k=6&filter=category:{value}"
    page = look(with_all)
    expect(page.get_by_role("status").filter(has_text="for “a blue dress”")).to_be_visible()
    expect(text_field(page)).to_have_value("a blue dress")
    expect(chip(page, "Category", value)).to_have_attribute("aria-pressed", "true")
    panel = model_panel(page)
    expect(panel.locator(".card-of-model")).to_contain_text(model["fingerprint"][:12])
    expect(panel.get_by_label("Results")).to_have_value("6")
    body = sent(page)
    assert (body["text"], body["model"], body["top_k"], body["filter"]) == ("a blue dress", model["id"], "6", f"category:{value}")


def test_a_deep_link_searches_with_a_product(look, site, api):
    product = api.get("products?limit=1")["products"][0]
    page = look(f"{site}?product={product['id']}")
    expect(page.get_by_role("status").filter(has_text="found")).to_be_visible()
    assert sent(page)["product_id"] == product["id"]
    expect(page.get_by_alt_text(re.compile("The query"))).to_be_visible()


def test_nonsense_in_the_address_is_left_aside(look, site):
    page = look(f"{site}?k=9999&min=seven&filter=nothing&image=x&sample=-1")
    expect(page.get_by_role("heading", name="In the catalogue")).to_be_visible()
    expect(model_panel(page).get_by_label("Results")).to_have_value("12")


def test_back_and_forward_walk_through_the_searches(page, api):
    api.samples()
    search_sample(page)
    with searching(page):
        cards(page).first.get_by_role("button", name="More like").click()
    second = page.url
    page.go_back()
    expect(page).to_have_url(re.compile("sample=0"))
    expect(page.get_by_role("status").filter(has_text="found")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Show it a garment")).to_be_visible()
    page.go_forward()
    page.go_forward()
    expect(page).to_have_url(second)


def test_back_finds_an_uploaded_picture_again(page, api):
    with searching(page):
        choose(page, "mine.jpg", api.picture())
    with searching(page):
        cards(page).first.get_by_role("button", name="More like").click()
    with searching(page):
        page.go_back()
    expect(page.get_by_alt_text("The query: mine.jpg")).to_be_visible()


def test_a_reload_finds_an_uploaded_picture_again(page, api):
    with searching(page) as before:
        choose(page, "mine.jpg", api.picture())
    with searching(page) as after:
        page.reload()
    expect(page.get_by_alt_text("The query: mine.jpg")).to_be_visible()
    ids = lambda answer: [result["product"]["id"] for result in answer["results"]]
    assert ids(before[0]) == ids(after[0])


def test_an_address_with_somebody_elses_upload_asks_for_the_picture(look, site, api):
    page = look(f"{site}?upload=abc-1-xyz")
    expect(page.get_by_role("alert")).to_contain_text("no longer has this one")
    with searching(page):
        choose(page, "mine.jpg", api.picture())
    expect(page.get_by_role("alert")).to_have_count(0)
