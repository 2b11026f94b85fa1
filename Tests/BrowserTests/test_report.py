"""The page that `evaluate --report` writes, opened from the disk."""

import json
import os
import subprocess

import pytest
from playwright.sync_api import expect

from conftest import ROOT
from visitor import assert_accessible, assert_no_sideways_scroll

HOSTILE = "<script>document.title = 'taken over'</script><img src=x onerror=alert(1)> & \"quoted\""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report on a small drawn boutique, of a model and a histogram, as a run with metrics leaves it; one title is hostile."""
    if os.environ.get("STYLEFINDER_URL"):
        pytest.skip("a report needs no server: it is looked at once, beside the stand-in")
    program = ROOT / ".build/release/stylefinder"
    if not program.is_file():
        pytest.exit(f"browser tests: there is no {program}; make it with: make build", returncode=1)
    folder = tmp_path_factory.mktemp("report")
    subprocess.run([program, "generate", folder / "data", "--garments", "14", "--width", "96", "--test-only"], check=True, capture_output=True)
    manifest = folder / "data/manifest.jsonl"
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    for row in rows:
        if row["product_id"] == rows[0]["product_id"]:
            row["title"] = HOSTILE
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = folder / "run"
    run.mkdir()
    os.symlink(ROOT / "Models/small-resnet", run / "best")
    lines = [{"step": step, "loss": 4 / step, "loss_a": 3 / step, "loss_b": 1 / step, "rate": 0.001, "gradient_norm": 2.0} for step in range(1, 301)]
    lines += [{"epoch": epoch, "step": 100 * epoch, "best": epoch == 2, "val_score": 0.3 + 0.1 * epoch} for epoch in (1, 2, 3)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    subprocess.run(
        [program, "evaluate", "--data", folder / "data", "--model", run, "--color-histogram", "--report", folder / "out"], check=True,
        capture_output=True)
    return (folder / "out/index.html").as_uri()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_window_in_light_and_dark(look, report, width, scheme):
    page = look(report, width=width, color_scheme=scheme)
    assert_no_sideways_scroll(page)
    for details in page.locator("details").all():
        details.locator("summary").click()
    assert_no_sideways_scroll(page)
    red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")[:3]
    assert (red + green + blue > 600) == (scheme == "light")
    assert_accessible(page)


def test_every_picture_and_drawing_is_inside_of_it(look, report):
    page = look(report)
    pictures = page.locator("img")
    assert pictures.count() > 40
    broken = page.evaluate(
        """async () => {
          const images = [...document.images];
          for (const image of images) image.loading = 'eager';
          const fates = await Promise.all(images.map(image => image.decode().then(() => image.naturalWidth > 0, () => false)));
          return fates.filter(good => !good).length;
        }""")
    assert broken == 0
    assert page.locator("svg").count() == 5
    assert page.locator("svg text", has_text="best: epoch 2").count() == 5


def test_a_hostile_title_is_text(look, report):
    page = look(report)
    assert "taken over" not in page.title()
    assert page.locator("script").count() == 0
    assert page.get_by_text("document.title = 'taken over'").count() > 0


def test_what_is_too_wide_scrolls_inside_itself_and_by_keyboard(look, report):
    page = look(report, width=360)
    table = page.get_by_role("region", name="Table: Results", exact=True)
    assert table.evaluate("table => table.scrollWidth > table.clientWidth")
    # The page allows no script of its own, so that nothing may wait for an expression in it.
    table.evaluate("table => table.addEventListener('scroll', () => table.setAttribute('data-scrolled', table.scrollLeft > 0))")
    table.focus()
    page.keyboard.press("ArrowRight")
    expect(table).to_have_attribute("data-scrolled", "true")
    # The name of the model stays in sight.
    cell = table.get_by_role("rowheader").first
    assert cell.evaluate("cell => cell.getBoundingClientRect().left >= cell.closest('[role=region]').getBoundingClientRect().left - 1")


def test_contents_lead_to_the_sections(look, report):
    page = look(report)
    links = page.get_by_role("navigation", name="Contents").get_by_role("link")
    assert links.count() >= 5
    for link in links.all():
        assert page.locator(link.get_attribute("href")).inner_text() == link.inner_text()
