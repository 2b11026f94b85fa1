"""docs/api.md is whole and true: each operation of openapi.json has an example there and each example an operation, every error code is named, and
a running server answers the examples."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/api.md").read_text()
HERE = "http://127.0.0.1:8080/"


def commands():
    """The page's curl lines, and the printf lines that write what some of them send, as (command, heading above it)."""
    heading, found, open_quote = "", [], False  # A quote may go on in the next line.
    for line in PAGE.splitlines():
        if line.startswith("#"):
            heading = line.strip("# ")
        elif open_quote or found and found[-1][0].endswith("\\\n"):
            found[-1] = (found[-1][0] + line.strip() + ("\n" if line.endswith("\\") else ""), heading)
            open_quote = open_quote and "'" not in line
        elif line.startswith(("    curl ", "    printf ")):
            found.append((line.strip() + ("\n" if line.endswith("\\") else ""), heading))
            open_quote = line.count("'") % 2 == 1
    return found


EXAMPLES = commands()


def operation(command):
    """Method and path of a curl line."""
    words = shlex.split(command.replace("$S", HERE + "api/v1").replace("\\\n", " "))
    address = next(word for word in words if word.startswith(HERE))
    if "-X" in words:
        method = words[words.index("-X") + 1]
    else:
        method = "POST" if {"-F", "-d", "--data-binary"} & set(words) and "-G" not in words else "GET"
    return method, "/" + address.removeprefix(HERE).split("?")[0]


def operations():
    document = json.loads((ROOT / "Sources/API/openapi.json").read_text())
    return [(method.upper(), path) for path, methods in document["paths"].items() for method in methods if method != "parameters"]


def fits(example, described):
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(described[1]))
    return example[0] == described[0] and re.fullmatch(pattern, example[1])


def test_every_operation_has_an_example_and_every_example_is_an_operation():
    examples = [operation(command) for command, _ in EXAMPLES if command.startswith("curl")]
    assert len(examples) > 30
    # OPTIONS is answered everywhere and described as that.
    examples = [example for example in examples if example[0] != "OPTIONS"]
    assert [one for one in operations() if not any(fits(example, one) for example in examples)] == [], "without an example"
    assert [one for one in examples if not any(fits(one, described) for described in operations())] == [], "not in openapi.json"


def test_every_error_code_is_named():
    code = re.compile(r'(?:APIError|self\.init|\.unauthorized)\(\s*(?:\.init\([^)]*\)|[.\w]+)?,?\s*"([a-z_]+)"|\bcode: "([a-z_]+)"')
    codes = {one or other for file in (ROOT / "Sources/API").rglob("*.swift") for one, other in code.findall(file.read_text())}
    assert len(codes) > 35
    assert sorted(code for code in codes if f"`{code}`" not in PAGE) == []


@pytest.mark.skipif("STYLEFINDER_URL" not in os.environ, reason="needs a running server, not the stand-in")
def test_a_running_server_answers_the_examples(site, tmp_path):
    """In the page's order, since some send what others wrote. Changes are asked for without a token of the server's, and refused."""
    wrong = []
    for command, heading in EXAMPLES:
        script = command.replace("$S", HERE + "api/v1").replace(HERE, site)
        prelude = "curl() { command curl -s -w '%{http_code}' \"$@\"; }; H='Authorization: Bearer a-token-of-no-server'; "
        done = subprocess.run(["bash", "-c", prelude + script], cwd=tmp_path, capture_output=True, timeout=60)
        status = done.stdout[-3:].decode() if command.startswith("curl") else "200"
        expected = "401" if "$H" in command else "415" if heading == "Errors" else "20"
        if done.returncode != 0 or not status.startswith(expected):
            wrong.append((command, status, done.stdout[-300:], done.stderr))
    assert wrong == []
