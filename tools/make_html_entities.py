"""Writes Sources/Tokenizers/HTMLEntityTable.swift from the named character references of HTML 5, as Python knows them.

    make_html_entities.py > Sources/Tokenizers/HTMLEntityTable.swift

Each word of the table is a name, `=` or `~`, and code points in hexadecimal joined by `+`. `=` needs its semicolon in the
text, `~` is also read without one (names that browsers have known for longest).
"""

import html.entities
import textwrap

table = html.entities.html5
words = []
for name in sorted(table):
    if name.endswith(";"):
        sign = "~" if name[:-1] in table else "="
        words.append(name[:-1] + sign + "+".join(f"{ord(character):x}" for character in table[name]))
print("// Made by tools/make_html_entities.py; do not edit.")
print()
print("/// The named character references of HTML 5: a name, `=` (needs its semicolon) or `~` (doesn't), code points in hexadecimal.")
print("// swift-format-ignore")
print('let htmlEntityTable = """')
print("\n".join("    " + line for line in textwrap.wrap(" ".join(words), 124, break_long_words=False, break_on_hyphens=False)))
print('    """')
