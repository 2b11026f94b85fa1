"""Which server the page comes from, and a browser to look at it.

STYLEFINDER_URL names a running server. Without it a stand-in serves the page in STYLEFINDER_PAGE (.build/page), as `make web` writes it.
STYLEFINDER_BASED_URL names a server under a base path, such as http://127.0.0.1:8081/finder/.
STYLEFINDER_MANAGED_URL names one whose catalogue the tests may change, with the token in STYLEFINDER_MANAGED_TOKEN.
"""

import json
import os
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from browser import launch
import fake_server
from fake_server import FakeServer

# An encoder on a busy processor takes its time.
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)

# What lets its bearer change the catalogue of `managed`.
TOKEN = os.environ["STYLEFINDER_MANAGED_TOKEN"] if "STYLEFINDER_MANAGED_URL" in os.environ else fake_server.TOKEN

ROOT = Path(__file__).resolve().parents[2]


def fake(**options):
    page = Path(os.environ.get("STYLEFINDER_PAGE") or ROOT / ".build/page")
    if not (page / "index.html").is_file():
        pytest.exit(f"browser tests: there is no page in {page}; make it with: make web", returncode=1)
    return FakeServer(page, **options).begin()


def with_slash(url):
    return url if url.endswith("/") else url + "/"


@pytest.fixture(scope="session")
def site():
    """The address of the page, with a slash at its end."""
    if url := os.environ.get("STYLEFINDER_URL"):
        yield with_slash(url)
        return
    server = fake()
    yield server.url
    server.shutdown()


@pytest.fixture(scope="session")
def based_site():
    """The address of a page under a base path."""
    if url := os.environ.get("STYLEFINDER_BASED_URL"):
        yield with_slash(url)
        return
    if os.environ.get("STYLEFINDER_URL"):
        pytest.skip("STYLEFINDER_BASED_URL names no server under a base path")
    server = fake(base="/finder/", products=12)
    yield server.url
    server.shutdown()


class API:
    """The server's own answers: what a test needs is found here, never assumed."""

    def __init__(self, site):
        self.site = site

    def bytes(self, path):
        with urllib.request.urlopen(urllib.parse.urljoin(self.site, path), timeout=30) as response:
            return response.read()

    def get(self, path):
        return json.loads(self.bytes("api/v1/" + path))

    def models(self):
        return self.get("models")

    def default_model(self):
        models = self.models()
        return next((card for card in models["models"] if card["id"] == models.get("default")), models["models"][0])

    def second_model(self):
        default = self.default_model()["id"]
        for card in self.models()["models"]:
            if card["id"] != default:
                return card
        pytest.skip("the server has a single model")

    def text_model(self):
        """A model that takes text, the default one where it does."""
        for card in [self.default_model(), *self.models()["models"]]:
            if card.get("takes_text") is not False:
                return card
        pytest.skip("no model of the server takes text")

    def samples(self):
        samples = self.get("samples")["samples"]
        if not samples:
            pytest.skip("the server has no sample pictures")
        return samples

    def picture(self):
        """The bytes of a picture of the catalogue."""
        product = self.get("products?limit=1")["products"][0]
        return self.bytes(product["image"]["path"])

    def description(self):
        """The server's own description of its API; none of the stand-in."""
        return json.loads(self.bytes("openapi.json")) if os.environ.get("STYLEFINDER_URL") else None

    def takes(self, field):
        """Skips what the server can't do yet: its own description says which fields a search has. The stand-in has them all."""
        described = self.description()
        if described is None:
            return
        forms = described["paths"]["/api/v1/search"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        name = forms["$ref"].split("/")[-1] if "$ref" in forms else None
        fields = (described["components"]["schemas"][name] if name else forms)["properties"]
        if field not in fields:
            pytest.skip(f"a search of this server has no {field}")

    def describes(self, path):
        """Skips where the server's own description has no such call; the stand-in has them all."""
        described = self.description()
        if described is not None and path not in described["paths"]:
            pytest.skip(f"this server has no {path}")

    def facet(self, key):
        """A value that some but not all products have."""
        page = self.get("products?limit=1")
        for facet in page["facets"].get(key, []):
            if facet["count"] < page["total"]:
                return facet["value"]
        pytest.skip(f"all products of the catalogue have the same {key}")


@pytest.fixture(scope="session")
def api(site):
    return API(site)


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


# Remembers what the page sends, and can hold a search back: `slow` lets those whose text is "slow" wait a second.
SPY = """
window.sent = [];
const real = window.fetch;
window.fetch = async (resource, options = {}) => {
  if (String(resource).endsWith('api/v1/search')) {
    const body = {};
    // A field that comes once is a value, one that comes several times a list.
    for (const [name, value] of options.body) body[name] = name in body ? [body[name], value].flat() : value;
    window.sent.push(body);
    if (body.text === 'slow') {
      await new Promise((resolve, reject) => {
        setTimeout(resolve, 1000);
        options.signal.addEventListener('abort', () => reject(options.signal.reason));
      });
    }
  }
  return real(resource, options);
};
"""


@pytest.fixture
def look(browser, request):
    """Opens pages; each is watched: scripts must not fail, and nothing may be loaded from another server."""
    contexts, troubles = [], []

    def open_page(url, width=1280, height=900, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(url))
        page.on("pageerror", lambda error: troubles.append(f"a script failed: {error}"))
        page.on("request", lambda sent: sent.url.startswith((origin, "blob:", "data:")) or troubles.append(f"loaded from elsewhere: {sent.url}"))

        def said(message):
            # A refused request is reported on the console as well; tests provoke them.
            if message.type == "error" and "Failed to load resource" not in message.text:
                troubles.append(f"the console says: {message.text}")

        page.on("console", said)
        # Somebody has to listen from the start: asked for later, the interception may come after a quick key press.
        page.on("filechooser", lambda chooser: None)
        page.add_init_script(SPY)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def managed():
    """A server whose catalogue may be changed: a stand-in for this test alone, or the running one that all tests share."""
    if url := os.environ.get("STYLEFINDER_MANAGED_URL"):
        yield with_slash(url)
        return
    if os.environ.get("STYLEFINDER_URL"):
        pytest.skip("STYLEFINDER_MANAGED_URL names no server whose catalogue may be changed")
    server = fake(products=20)
    yield server.url
    server.shutdown()


@pytest.fixture
def own_site(managed):
    """The same where it is a stand-in, for tests of what its catalogue has, or that take away what others need."""
    if os.environ.get("STYLEFINDER_URL"):
        pytest.skip("beside the stand-in alone: the catalogue is another one, or would be for the tests that follow")
    return managed


@pytest.fixture
def page(look, site):
    """The first screen."""
    page = look(site)
    page.get_by_role("heading", name="In the catalogue").wait_for()
    return page
