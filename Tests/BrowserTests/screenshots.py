"""Pictures of the page for eyes to judge: screenshots.py URL OUT [WIDTH ...]"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from browser import launch

PHONE = 640


def main(url, out, *widths):
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for width in map(int, widths or ("360", "768", "1280")):
            for scheme in ("light", "dark"):
                walk(browser, url, folder, width, scheme)
        browser.close()


def walk(browser, url, folder, width, scheme):
    phone = width < PHONE
    page = browser.new_page(viewport={"width": width, "height": 740 if phone else 800}, color_scheme=scheme, has_touch=phone)

    def take(name, full=False):
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
        page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=full)

    def close():
        page.keyboard.press("Escape")
        page.wait_for_timeout(300)

    page.goto(url)
    page.get_by_role("button", name="Search with the sample").first.wait_for()
    take("first")
    take("first-full", full=True)
    page.get_by_role("button", name="Search with the sample").first.click()
    page.locator(".card:not(.skeleton)").first.wait_for()
    take("results")
    take("results-full", full=True)
    filters = page.get_by_role("region", name="Filters")
    (page.get_by_role("button", name="Filters") if phone else filters.get_by_role("button", name="Colour")).click()
    take("filters")
    close()
    if width < 992:
        page.get_by_role("button", name="Crop", exact=True).click()
        take("crop")
        close()
    page.get_by_role("button", name="Model:").click()
    take("model")
    close()
    page.get_by_role("button", name="all pictures and details").nth(1).click()
    page.get_by_role("dialog").get_by_role("heading").first.wait_for()
    take("dialog")
    close()
    page.goto(f"{url}?sample=0&crop=.2,.2,.6,.5")
    page.locator(".card:not(.skeleton)").first.wait_for()
    take("cropped")
    page.goto(f"{url}?text=spaceship")
    page.locator(".line").wait_for()
    take("unknown")
    page.goto(f"{url}?sample=0&view=compare")
    page.locator(".compared td img").first.wait_for()
    take("compare")
    page.goto(f"{url}?view=manage")
    page.locator(".stock-list li").first.wait_for()
    take("manage")
    page.close()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
