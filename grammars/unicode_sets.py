"""Named sets of code points: the classes of Python and ECMA-262, Unicode properties, and case-insensitive closure.

Python's own classes (`\\d`, `\\w`, `\\s`) and its notion of letters that differ only in case come from the running
interpreter's `re`, whose Unicode version they must share. Properties (`\\p{...}`) come from `unicode_tables.py`.
"""

import base64
import re
import zlib
from functools import lru_cache
from itertools import accumulate
from typing import Final

import numpy as np

from slipform.grammars import code_points as sets
from slipform.grammars.code_points import CodePoints
from slipform.grammars.unicode_tables import SCRIPT_ALIASES, TABLES

ASCII_DIGIT: Final = sets.span(0x30, 0x39)
ASCII_WORD: Final = sets.union([ASCII_DIGIT, sets.span(0x41, 0x5A), sets.single(0x5F), sets.span(0x61, 0x7A)])
ASCII_SPACE: Final = sets.of_text(" \t\n\r\f\v")
ECMA_LINE_END: Final = sets.of_text("\n\r\u2028\u2029")
ECMA_SPACE: Final = sets.union(
    [sets.of_text("\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"), sets.span(0x2000, 0x200A)]
)

_CATEGORY_GROUPS: Final = {
    "l": ("lu", "ll", "lt", "lm", "lo"),
    "lc": ("lu", "ll", "lt"),
    "m": ("mn", "mc", "me"),
    "n": ("nd", "nl", "no"),
    "p": ("pc", "pd", "ps", "pe", "pi", "pf", "po"),
    "s": ("sm", "sc", "sk", "so"),
    "z": ("zs", "zl", "zp"),
    "c": ("cc", "cf", "co", "cn"),
}
_CATEGORY_NAMES: Final = {
    "letter": "l", "casedletter": "lc", "uppercaseletter": "lu", "lowercaseletter": "ll", "titlecaseletter": "lt",
    "modifierletter": "lm", "otherletter": "lo", "mark": "m", "combiningmark": "m", "nonspacingmark": "mn",
    "spacingmark": "mc", "enclosingmark": "me", "number": "n", "decimalnumber": "nd", "digit": "nd",
    "letternumber": "nl", "othernumber": "no", "punctuation": "p", "punct": "p", "connectorpunctuation": "pc",
    "dashpunctuation": "pd", "openpunctuation": "ps", "closepunctuation": "pe", "initialpunctuation": "pi",
    "finalpunctuation": "pf", "otherpunctuation": "po", "symbol": "s", "mathsymbol": "sm", "currencysymbol": "sc",
    "modifiersymbol": "sk", "othersymbol": "so", "separator": "z", "spaceseparator": "zs", "lineseparator": "zl",
    "paragraphseparator": "zp", "other": "c", "control": "cc", "cntrl": "cc", "format": "cf", "surrogate": "cs",
    "privateuse": "co", "unassigned": "cn",
}  # fmt: skip
_BINARY_ALIASES: Final = {
    "alpha": "alphabetic", "ahex": "asciihexdigit", "bidic": "bidicontrol", "bidim": "bidimirrored",
    "ci": "caseignorable", "cwcf": "changeswhencasefolded", "cwcm": "changeswhencasemapped",
    "cwl": "changeswhenlowercased", "cwt": "changeswhentitlecased", "cwu": "changeswhenuppercased",
    "di": "defaultignorablecodepoint", "dep": "deprecated", "dia": "diacritic", "ecomp": "emojicomponent",
    "emod": "emojimodifier", "ebase": "emojimodifierbase", "epres": "emojipresentation",
    "extpict": "extendedpictographic", "ext": "extender", "grbase": "graphemebase", "grext": "graphemeextend",
    "hex": "hexdigit", "idc": "idcontinue", "ids": "idstart", "ideo": "ideographic", "idsb": "idsbinaryoperator",
    "idst": "idstrinaryoperator", "joinc": "joincontrol", "loe": "logicalorderexception", "lower": "lowercase",
    "nchar": "noncharactercodepoint", "patsyn": "patternsyntax", "patws": "patternwhitespace",
    "qmark": "quotationmark", "ri": "regionalindicator", "sterm": "sentenceterminal", "sd": "softdotted",
    "term": "terminalpunctuation", "uideo": "unifiedideograph", "upper": "uppercase", "vs": "variationselector",
    "space": "whitespace", "wspace": "whitespace", "xidc": "xidcontinue", "xids": "xidstart",
}  # fmt: skip


@lru_cache(maxsize=512)
def unicode_property(text: str) -> CodePoints | None:
    """The set that `\\p{text}` names, or None if it is unknown.

    Known are general categories (`L`, `gc=Lu`, `Uppercase_Letter`), scripts (`Greek`, `Script=Greek`, `scx=Grek`) and
    the binary properties of ECMA-262; case, spaces, `-` and `_` do not matter.
    """
    loose = re.sub(r"[\s_-]", "", text.lower())
    name, equals, value = loose.partition("=")
    if not equals:
        name, equals, value = loose.partition(":")
    if equals:
        if name in ("gc", "generalcategory"):
            return _category(value)
        if name in ("sc", "script"):
            return _script("sc", value)
        if name in ("scx", "scriptextensions"):
            return _script("scx", value)
        return None
    if loose == "any":
        return sets.EVERYTHING
    if loose == "ascii":
        return sets.span(0, 0x7F)
    if loose == "assigned":
        return sets.complement(_table("gc=cn"))
    category = _category(loose)
    if category is not None:
        return category
    key = _BINARY_ALIASES.get(loose, loose)
    if key in TABLES and "=" not in key:
        return _table(key)
    return _script("sc", loose)


def _category(name: str) -> CodePoints | None:
    name = _CATEGORY_NAMES.get(name, name)
    if name == "cs":
        return sets.NOTHING  # surrogates are not characters of any text
    if name in _CATEGORY_GROUPS:
        return sets.union(_table(f"gc={part}") for part in _CATEGORY_GROUPS[name])
    return _table(f"gc={name}") if f"gc={name}" in TABLES else None


def _script(kind: str, name: str) -> CodePoints | None:
    key = SCRIPT_ALIASES.get(f"sc={name}", f"sc={name}")
    if kind == "scx" and f"scx={key[3:]}" in TABLES:
        return _table(f"scx={key[3:]}")
    return _table(key) if key in TABLES else None


def _table(key: str) -> CodePoints:
    differences: list[int] = []
    number = shift = 0
    for byte in zlib.decompress(base64.b85decode(TABLES[key])):
        number |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            differences.append(number)
            number = shift = 0
    return tuple(accumulate(differences))


@lru_cache(maxsize=8)
def python_class(escape: str) -> CodePoints:
    """The characters that `re` matches with `escape`, one of `\\d`, `\\w`, `\\s`, in a pattern of text."""
    # Planes 4 to 13 hold no characters, 14 has tags and variation selectors, 15 and 16 are private: none is in a class.
    text = np.arange(0x40000, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    points: list[int] = []
    for match in re.finditer(f"{escape}+", text):
        points += match.span()
    return tuple(points)


@lru_cache(maxsize=1)
def _case_variants() -> dict[int, tuple[int, ...]]:
    """For each code point that has others differing only in case: those others, as `re.IGNORECASE` sees it."""
    related: dict[str, set[str]] = {}
    by_folding: dict[str, str] = {}
    # The last characters with case are those of plane 1, below U+1EA00.
    for character in map(chr, range(0x1EA00)):
        lower, upper = character.lower(), character.upper()
        if lower != character or upper != character:
            for variant in {lower[0], upper, character.title(), character.casefold(), upper.lower(), lower.upper()}:
                if len(variant) == 1 and variant != character:
                    related.setdefault(character, set()).add(variant)
                    related.setdefault(variant, set()).add(character)
            twin = by_folding.setdefault(character.casefold(), character)
            related.setdefault(character, set()).add(twin)
            related.setdefault(twin, set()).add(character)
    variants: dict[int, tuple[int, ...]] = {}
    for character in related:
        group = {character}
        waiting = [character]
        while waiting:
            new = related.get(waiting.pop(), set()) - group
            group |= new
            waiting += new
        # The relation above is wider than that of `re`, which has the last word.
        matching = re.findall(f"(?i){re.escape(character)}", "".join(sorted(group)))
        variants[ord(character)] = tuple(ord(other) for other in matching if other != character)
    return variants


@lru_cache(maxsize=128)
def _ascii_variants(code: int) -> tuple[int, ...]:
    """As `_case_variants()[code]` for an ASCII letter, without the tens of milliseconds which that takes to make."""
    letter = chr(code)
    return tuple(ord(other) for other in re.findall(f"(?i){letter}", letter.swapcase() + "\u0130\u0131\u017f\u212a"))


def ignoring_case(code_points: CodePoints, *, ascii_only: bool = False) -> CodePoints:
    """The set and what differs from a member only in case, as `re.IGNORECASE` has it; `ascii_only`: with a-z only."""
    if ascii_only:
        lower = sets.intersection(code_points, sets.span(0x61, 0x7A))
        upper = sets.intersection(code_points, sets.span(0x41, 0x5A))
        return sets.union([code_points, tuple(c - 32 for c in lower), tuple(c + 32 for c in upper)])
    added: set[int] = set()
    if not code_points or code_points[-1] <= 0x80:
        for letter in (*range(0x41, 0x5B), *range(0x61, 0x7B)):
            if sets.contains(code_points, letter):
                added.update(_ascii_variants(letter))
        return sets.union([code_points, *map(sets.single, added)])
    variants = _case_variants()
    if _size(code_points) < len(variants):
        for low, high in zip(code_points[::2], code_points[1::2], strict=True):
            for code in range(low, high):
                added.update(variants.get(code, ()))
    else:
        for code, others in variants.items():
            if sets.contains(code_points, code):
                added.update(others)
    return sets.union([code_points, *map(sets.single, added)])


def _size(code_points: CodePoints) -> int:
    """How many code points the set holds."""
    return sum(code_points[1::2]) - sum(code_points[::2])
