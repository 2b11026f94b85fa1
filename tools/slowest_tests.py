"""Prints the slowest tests of a log of `swift test`, slowest first. Usage: slowest_tests.py LOG [COUNT]

Tests run side by side, so a test's seconds include its waiting for the others.
"""

import re
import sys

# ✔ Test "a sentence" passed after 1.234 seconds.  Also with "with 3 test cases" in it, and for tests that failed.
LINE = re.compile(r'Test "?(.+?)"?(?: with (\d+) test cases?)? (passed|failed) after ([0-9.]+) seconds')


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        found = [(float(m[4]), m[1], m[2], m[3]) for m in map(LINE.search, log) if m and not m[1].startswith("run with ")]
    if not found:
        sys.exit(f"slowest_tests: {sys.argv[1]} names no test that ended")
    print(f"The {min(count, len(found))} slowest of {len(found)} tests:")
    for seconds, name, cases, verdict in sorted(found, reverse=True)[:count]:
        note = f" ({cases} cases)" if cases else ""
        print(f"{seconds:9.1f} s  {name}{note}{'' if verdict == 'passed' else ', ' + verdict}")


if __name__ == "__main__":
    main()
