"""The running server's API: its description is valid, and answers are what it describes. Only against the real server."""

import concurrent.futures
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import uuid

import pytest

pytestmark = pytest.mark.skipif("STYLEFINDER_URL" not in os.environ, reason="needs a running server, not the stand-in")


def post(site, fields, image=None):
    """A multipart search; the status and the JSON answer."""
    boundary = uuid.uuid4().hex
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields]
    if image is not None:
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="q.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'.encode()
            + image + b"\r\n")
    request = urllib.request.Request(
        urllib.parse.urljoin(site, "api/v1/search"), b"".join(parts) + f"--{boundary}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={boundary}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_description_is_valid_openapi_3_1(site):
    from openapi_spec_validator import OpenAPIV31SpecValidator

    with urllib.request.urlopen(urllib.parse.urljoin(site, "openapi.json")) as answer:
        document = json.load(answer)
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_a_picture_of_the_catalogue_finds_its_own_product_first(site, api):
    for product in api.get("products?limit=5")["products"]:
        status, answer = post(site, [("top_k", 3)], api.bytes(product["image"]["path"]))
        assert status == 200
        assert answer["results"][0]["product"]["id"] == product["id"]
        assert answer["results"][0]["score"] > 0.9


def test_every_model_answers_with_its_own_name_and_scores_that_fall(site, api):
    picture = api.picture()
    for card in api.models()["models"]:
        status, answer = post(site, [("model", card["id"]), ("top_k", 20)], picture)
        assert status == 200 and answer["model"] == card["id"]
        scores = [result["score"] for result in answer["results"]]
        assert scores == sorted(scores, reverse=True)
        assert len({result["product"]["id"] for result in answer["results"]}) == len(scores)


def test_eight_clients_at_once_get_the_answers_that_each_gets_alone(site, api):
    pictures = [api.bytes(product["image"]["path"]) for product in api.get("products?limit=8")["products"]]

    def found(picture):
        status, answer = post(site, [("top_k", 5)], picture)
        return status, [result["product"]["id"] for result in answer["results"]], [result["score"] for result in answer["results"]]

    alone = [found(picture) for picture in pictures]
    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        together = list(clients.map(found, pictures * 4))
    for (status, products, scores), (alone_status, alone_products, alone_scores) in zip(together, alone * 4):
        assert (status, products) == (alone_status, alone_products)
        # Pictures that came together go through the encoder together, which adds up in another order.
        assert all(abs(score - other) < 1e-4 for score, other in zip(scores, alone_scores))


def test_a_huge_png_is_refused_by_its_header(site):
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 14_000, 8, 2, 0, 0, 0)) + chunk(b"IEND", b"")
    status, answer = post(site, [], bomb)
    assert status == 413
    assert "20000 x 14000" in answer["error"]["message"]
