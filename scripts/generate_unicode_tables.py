#!/usr/bin/env python
"""Write grammars/unicode_tables.py: general categories, scripts and the binary properties of ECMA-262.

The data are those of the `regex` distribution (from PyPI), which follows each Unicode release within weeks. Needed only
when the tables are renewed:  pip install regex && python scripts/generate_unicode_tables.py
"""

import base64
import textwrap
import zlib
from itertools import pairwise
from pathlib import Path

import regex
from regex import _regex_core

BINARY = [
    "Alphabetic",
    "ASCII_Hex_Digit",
    "Bidi_Control",
    "Bidi_Mirrored",
    "Case_Ignorable",
    "Cased",
    "Changes_When_Casefolded",
    "Changes_When_Casemapped",
    "Changes_When_Lowercased",
    "Changes_When_Titlecased",
    "Changes_When_Uppercased",
    "Dash",
    "Default_Ignorable_Code_Point",
    "Deprecated",
    "Diacritic",
    "Emoji",
    "Emoji_Component",
    "Emoji_Modifier",
    "Emoji_Modifier_Base",
    "Emoji_Presentation",
    "Extended_Pictographic",
    "Extender",
    "Grapheme_Base",
    "Grapheme_Extend",
    "Hex_Digit",
    "ID_Continue",
    "ID_Start",
    "Ideographic",
    "IDS_Binary_Operator",
    "IDS_Trinary_Operator",
    "Join_Control",
    "Logical_Order_Exception",
    "Lowercase",
    "Math",
    "Noncharacter_Code_Point",
    "Pattern_Syntax",
    "Pattern_White_Space",
    "Quotation_Mark",
    "Radical",
    "Regional_Indicator",
    "Sentence_Terminal",
    "Soft_Dotted",
    "Terminal_Punctuation",
    "Unified_Ideograph",
    "Uppercase",
    "Variation_Selector",
    "White_Space",
    "XID_Continue",
    "XID_Start",
]
CATEGORIES = [
    "Lu",
    "Ll",
    "Lt",
    "Lm",
    "Lo",
    "Mn",
    "Mc",
    "Me",
    "Nd",
    "Nl",
    "No",
    "Pc",
    "Pd",
    "Ps",
    "Pe",
    "Pi",
    "Pf",
    "Po",
    "Sm",
    "Sc",
    "Sk",
    "So",
    "Zs",
    "Zl",
    "Zp",
    "Cc",
    "Cf",
    "Co",
    "Cn",
]

ALL = "".join(map(chr, range(0x110000)))


def packed(expression: str) -> str:
    """Inversion list of the code points that match, as differences in variable-length bytes, compressed."""
    points: list[int] = []
    for match in regex.finditer(f"(?V1)(?:{expression})+", ALL):
        points += match.span()
    data = bytearray()
    for difference in [b - a for a, b in pairwise([0, *points])]:
        while difference >= 0x80:
            data.append(difference & 0x7F | 0x80)
            difference >>= 7
        data.append(difference)
    return base64.b85encode(zlib.compress(bytes(data), 9)).decode()


def aliases(value_of: dict[str, int]) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    for name, value in value_of.items():
        names.setdefault(value, []).append(name)
    return names


def main() -> None:
    entries: dict[str, str] = {}
    alias: dict[str, str] = {}
    properties = _regex_core.PROPERTIES
    for category in CATEGORIES:
        entries[f"gc={category.lower()}"] = packed(rf"\p{{gc={category}}}")
    for prefix, wanted in (("sc", "SCRIPT"), ("scx", "SCRIPTEXTENSIONS")):
        _, values = properties[wanted]
        for names in aliases(values).values():
            # Keep the longest name as the key: that is the long one of the standard.
            names = sorted((name.lower().replace("_", "").replace(" ", "") for name in names), key=len)
            key = names[-1]
            text = packed(rf"\p{{{prefix}={key}}}")
            if prefix == "scx" and entries.get(f"sc={key}") == text:
                continue
            entries[f"{prefix}={key}"] = text
            for name in names[:-1]:
                alias[f"sc={name}"] = f"sc={key}"
    for name in BINARY:
        key = name.lower().replace("_", "")
        try:
            entries[key] = packed(rf"\p{{{name}}}")
        except regex.error:
            print("not known to regex:", name)
    lines = [
        '"""Unicode properties, compressed. Written by scripts/generate_unicode_tables.py; do not edit."""',
        "",
        "from typing import Final",
        "",
        f'SOURCE: Final = "regex {regex.__version__}"',
        "",
        "# Keys are loose names: lower case without underscores. `gc=` general category, `sc=` script, `scx=` script",
        "# extensions where they differ from the script. Values: base 85 of zlib of differences, seven bits a byte.",
        "TABLES: Final[dict[str, str]] = {",
    ]
    for key, text in entries.items():
        parts = textwrap.wrap(text, 100, break_on_hyphens=False)
        if len(text) + len(key) < 100:
            lines.append(f'    "{key}": "{text}",')
        else:
            lines.append(f'    "{key}": (')
            lines += [f'        "{part}"' for part in parts]
            lines.append("    ),")
    lines += ["}", "", "SCRIPT_ALIASES: Final[dict[str, str]] = {"]
    lines += [f'    "{name}": "{key}",' for name, key in sorted(alias.items())]
    lines += ["}", ""]
    Path(__file__).parent.parent.joinpath("grammars/unicode_tables.py").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
