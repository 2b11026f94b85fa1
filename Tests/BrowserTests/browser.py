"""The system's chromium."""

import os
import shutil

CANDIDATES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


def launch(playwright):
    """A headless browser; STYLEFINDER_BROWSER names another executable."""
    path = os.environ.get("STYLEFINDER_BROWSER") or next(filter(None, map(shutil.which, CANDIDATES)), None)
    if path is None:
        raise SystemExit("browser tests: there is no chromium: apt-get install chromium, or set STYLEFINDER_BROWSER.")
    # Root has no sandbox to give, and containers have little shared memory.
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
