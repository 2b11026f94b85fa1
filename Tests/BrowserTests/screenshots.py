"""Pictures of the page for eyes to judge: screenshots.py URL OUT [WIDTH ...]"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from browser import launch


def main(url, out, *widths):
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for width in map(int, widths or ("360", "768", "1280")):
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": 900 if width > 600 else 780}, color_scheme=scheme)

                def take(name, full=False):
                    page.wait_for_load_state("networkidle")
                    page.wait_for_timeout(300)
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=full)

                page.goto(url)
                page.get_by_role("listitem").first.wait_for()
                take("first")
                take("first-full", full=True)
                page.get_by_role("button", name="Search with the sample").first.click()
                page.get_by_role("button", name="More like").first.wait_for()
                take("results")
                take("results-full", full=True)
                page.get_by_role("button", name="all pictures and details").nth(1).click()
                page.get_by_role("dialog").get_by_role("heading").first.wait_for()
                take("dialog")
                page.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
