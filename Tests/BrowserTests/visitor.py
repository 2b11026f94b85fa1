"""What a visitor does with the page, in steps that several tests share."""

import io
import json
import re
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect


@contextmanager
def searching(page):
    """Yields a list that holds the server's answer to the search that the block begins, once its results are shown."""
    answers = []
    with page.expect_response(lambda response: response.url.endswith("/api/v1/search") and response.status == 200) as awaited:
        yield answers
    answer = awaited.value.json()
    answers.append(answer)
    expect(page.locator(".grid > .card:not(.skeleton)")).to_have_count(len(answer["results"]))
    expect(page.locator(".grid")).to_have_attribute("aria-busy", "false")


def choose(page, name, data, kind="image/jpeg"):
    """Chooses a file by the page's button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=re.compile("Choose a picture|Another picture")).first.click()
    chooser.value.set_files({"name": name, "mimeType": kind, "buffer": data})


def search_sample(page):
    with searching(page) as answers:
        page.get_by_role("button", name="Search with the sample").first.click()
    return answers[0]


def text_field(page):
    return page.locator("input[type=search]")


def search_text(page, text):
    with searching(page) as answers:
        text_field(page).fill(text)
        text_field(page).press("Enter")
    return answers[0]


def cards(page):
    return page.locator(".grid > .card")


def menu(page, name):
    """Opens a menu of the filter bar, unless it is open."""
    button = page.get_by_role("region", name="Filters").get_by_role("button", name=re.compile(f"^{name} ?\\d*$"))
    if button.get_attribute("aria-expanded") == "false":
        button.click()
    return button


def chip(page, group, value):
    """The filter of a value in the menu of its key; its number stands behind it, so that Men / Tops is not found in Women / Tops."""
    menu(page, group)
    return page.locator(".panel").get_by_role("group", name=group).get_by_role("button", name=chip_name(value))


def chip_name(value):
    """What the filter of a value is called: what all categories begin with is left out, and Women / Dresses is not Kids / Dresses."""
    parts = [re.escape(part).replace("\\ ", " ") for part in value.split("/")]
    # A stroke would end the expression on its way to the browser.
    return re.compile("^(" + "|".join(" . ".join(parts[first:]) for first in range(len(parts))) + r") [\d.,]+$")


def model_panel(page):
    """Opens the drawer of the model."""
    page.get_by_role("button", name="Model:").click()
    return page.get_by_role("dialog", name="Model")


def close(page):
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def choose_top_k(page, count):
    model_panel(page).get_by_label("Results").select_option(str(count))
    close(page)


def shown_price(page, product):
    """The price as the browser writes it."""
    return page.evaluate(
        "([value, currency]) => new Intl.NumberFormat(undefined, currency ? {style: 'currency', currency} : {}).format(value)",
        [product["price"], product.get("currency")],
    )


def sent(page):
    """The last search as the page asked for it; a picture is described by its type and size."""
    return page.evaluate(
        """async () => {
          const last = {...window.sent.at(-1)};
          const told = async image => {
            const head = [...new Uint8Array(await image.slice(0, 3).arrayBuffer())];
            const shown = await createImageBitmap(image).catch(() => null);
            return {name: image.name, bytes: image.size, jpeg: head.join() === '255,216,255', width: shown?.width, height: shown?.height};
          };
          if (last.image instanceof Blob) last.image = await told(last.image);
          else if (last.image) last.image = await Promise.all(last.image.map(told));
          return last;
        }"""
    )


def encoded(picture, form, **options):
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def gradient(width, height):
    return Image.linear_gradient("L").resize((width, height)).convert("RGB")


def assert_accessible(page):
    found = Axe().run(page)
    told = [
        (violation["id"], violation["help"], [node["html"][:160] for node in violation["nodes"]][:4])
        for violation in found.response["violations"]
    ]
    assert told == [], json.dumps(told, indent=1)


def assert_no_sideways_scroll(page):
    wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1], f"the page is {wide[0]} px wide in a window of {wide[1]} px"


def drop(page, parts):
    """Drops a real DataTransfer on the page; `parts` is JavaScript that fills `data`."""
    data = page.evaluate_handle(f"async () => {{ const data = new DataTransfer(); {parts}; return data; }}")
    page.dispatch_event("body", "dragenter", {"dataTransfer": data})
    expect(page.get_by_text("Let go to search")).to_be_visible()
    page.dispatch_event("body", "dragover", {"dataTransfer": data})
    page.dispatch_event("body", "drop", {"dataTransfer": data})
    expect(page.get_by_text("Let go to search")).to_have_count(0)
