"""What web/build.sh writes."""

import gzip
import os
import re
import subprocess

import pytest

from conftest import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    subprocess.run([ROOT / "web/build.sh", folder], check=True)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_each_file_stands_beside_its_compressed_form(built):
    plain = {name for name in built if not name.endswith(".gz")}
    assert {name.rsplit(".", 1)[-1] for name in plain} == {"html", "js", "css", "svg"}
    for name in plain:
        assert gzip.decompress(built[f"{name}.gz"]) == built[name]
        assert built[f"{name}.gz"][4:8] == bytes(4), "a time would make each build another one"


def test_the_first_file_names_the_others_by_their_hash_relative_to_the_base(built):
    index = built["index.html"].decode()
    assert '<base href="/">' in index
    for name in re.findall(r'(?:src|href)="([^"/]+)"', index):
        assert name in built
    assert re.search(r'src="app\.[A-Z0-9]{8}\.js"', index) and re.search(r'href="app\.[A-Z0-9]{8}\.css"', index)


def test_the_page_that_is_tested_is_the_one_that_its_sources_make(built):
    if os.environ.get("STYLEFINDER_URL"):
        pytest.skip("a running server serves a page of its own")
    folder = ROOT / ".build/page" if not os.environ.get("STYLEFINDER_PAGE") else ROOT / os.environ["STYLEFINDER_PAGE"]
    for name, data in built.items():
        assert (folder / name).is_file() and (folder / name).read_bytes() == data, f"{name} is stale; run: make web"


def test_a_missing_tool_is_named_with_the_way_to_get_it(tmp_path):
    for name in ("bash", "mkdir", "dirname"):
        (tmp_path / name).symlink_to(subprocess.check_output(["which", name], text=True).strip())
    run = subprocess.run([ROOT / "web/build.sh", tmp_path / "out"], env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert run.returncode == 69
    assert "esbuild" in run.stderr and "apt-get install" in run.stderr
