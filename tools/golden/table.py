"""Prints what the golden tests measured as one table: format, architecture, tower, cosine, greatest error, and the cost of each planted
mistake.

    table.py TEST_LOG
"""

import re
import sys

measured, costs, names = [], {}, {}
for line in open(sys.argv[1], encoding="utf-8"):
    parts = [part.strip() for part in line.strip().split("|")]
    if parts[0] != "golden":
        continue
    if parts[3].startswith("planted:"):
        _, model, tower, mistake, tolerances = parts
        costs.setdefault((model, tower), []).append((mistake.removeprefix("planted: "), int(re.sub(r"\D", "", tolerances))))
    else:
        _, architecture, form, model, tower, cosine, error = parts
        names[model] = architecture
        measured.append((form, architecture, model, tower, cosine.removeprefix("cosine "), error.removeprefix("max error ")))

if not measured:
    sys.exit("the log holds no golden measurement: did the tests run?")
print("| format | architecture | model | tower | cosine | max error |\n|---|---|---|---|---|---|")
for row in measured:
    print("| " + " | ".join(row) + " |")
print("\nWhat each planted mistake costs, in tolerances of 1e-4 on unit vectors:\n")
print("| architecture | model | tower | mistake | cost |\n|---|---|---|---|---|")
for (model, tower), rows in costs.items():
    for mistake, cost in rows:
        print(f"| {names.get(model, '')} | {model} | {tower} | {mistake} | {cost} |")
