"""JSON strings as automata: constraints on the decoded text, then the spellings of that text between quotes."""

import json
import re
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from slipform.errors import UnsupportedGrammar
from slipform.grammars import leaf_tables
from slipform.grammars.dfa import Dfa, any_text, length_between, literals
from slipform.grammars.json_schema.counted import CountedText
from slipform.grammars.json_schema.formats import format_dfa
from slipform.grammars.json_schema.shapes import StringAtom
from slipform.grammars.json_text import json_string_body
from slipform.grammars.leaf_tables import LeafTables
from slipform.grammars.regex import regex_dfa

if TYPE_CHECKING:
    from slipform.grammars.json_schema.objects import Keys

Escapes = Literal["all", "usual", "raw", "ascii"]
_PLAIN_NAME: Final = re.compile(r"[ !#-\[\]-~]*")  # ASCII with one usual spelling for each character
MAX_STATES: Final = 50_000
"""States of an automaton of pattern and length, where there must be one (keys, items that are told apart)."""
_FEW_STATES: Final = 256  # one automaton is the fastest
_MANY_STATES: Final = 1_000  # from here on characters are counted


def pattern_dfa(pattern: str) -> Dfa:
    """The decoded texts in which `pattern` is found."""
    return regex_dfa(pattern, flavour="ecma", search=True)


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` is found in `text`."""
    return pattern_dfa(pattern).accepts(_encoded(text))


def admits(atom: StringAtom, text: str) -> bool:
    """Whether `text` satisfies `atom`."""
    if len(text) < atom.min or (atom.max is not None and len(text) > atom.max) or text in atom.excluded:
        return False
    if atom.allowed is not None and text not in atom.allowed:
        return False
    data = _encoded(text)
    return (
        all(pattern_dfa(pattern).accepts(data) for pattern in atom.patterns)
        and not any(pattern_dfa(pattern).accepts(data) for pattern in atom.not_patterns)
        and all(format_dfa(name).accepts(data) for name in atom.formats)
        and not any(format_dfa(name).accepts(data) for name in atom.not_formats)
    )


def has_text(atom: StringAtom) -> bool:
    """Whether any text satisfies `atom`.

    Raises: UnsupportedGrammar when a pattern together with a length takes too many states.
    """
    if atom.allowed is not None:
        return any(admits(atom, text) for text in atom.allowed)
    if not atom.is_regular:
        return True
    dfa = _of_any_length(atom)
    low, _ = _missing_bounds(atom, dfa)
    if not dfa.is_empty and low == 0 and (atom.max is None or dfa.character_bounds()[0] <= atom.max):
        return True  # the shortest text has a fitting length
    counter = counted(atom)
    return not decoded(atom).is_empty if counter is None else not counter.is_empty


@lru_cache(maxsize=1024)
def counted(atom: StringAtom) -> CountedText | None:
    """The texts of `atom` with a counter of characters; None where one automaton of pattern and length serves better.

    Raises: UnsupportedGrammar if it is too large for a counter as well.
    """
    if atom.allowed is not None or not atom.is_regular:
        return None
    dfa = _of_any_length(atom)
    size = _product_size(atom, dfa)
    if dfa.is_empty or size <= _FEW_STATES:
        return None
    longest = atom.max if atom.max is not None else dfa.character_bounds()[1]
    if longest is None:
        if size <= MAX_STATES:
            return None
        raise UnsupportedGrammar(
            "pattern with a length", path=atom.path, reason=f"together they take more than {MAX_STATES:,} states"
        )
    text = CountedText(dfa, atom.min, longest, atom.path)
    return text if size > _MANY_STATES or text.is_chain else None


@lru_cache(maxsize=1024)
def decoded(atom: StringAtom) -> Dfa:
    """The decoded texts of `atom`, in one automaton.

    Raises: UnsupportedGrammar when a pattern together with a length takes too many states.
    """
    if atom.allowed is not None:
        return literals(_encoded(text) for text in atom.allowed if admits(atom, text))
    dfa = _of_any_length(atom)
    if _product_size(atom, dfa) > MAX_STATES:
        raise UnsupportedGrammar(
            "pattern with a length", path=atom.path, reason=f"together they take more than {MAX_STATES:,} states"
        )
    low, high = _missing_bounds(atom, dfa)
    return dfa & length_between(low, high) if low or high is not None else dfa


def _product_size(atom: StringAtom, dfa: Dfa) -> int:
    """About how many states the pattern's automaton and the length take together."""
    low, high = _missing_bounds(atom, dfa)
    return dfa.num_states * ((low if high is None else high) + 1)


def _missing_bounds(atom: StringAtom, dfa: Dfa) -> tuple[int, int | None]:
    """The bounds on length that `dfa` does not keep by itself."""
    if not atom.min and atom.max is None:
        return 0, None
    shortest, longest = dfa.character_bounds()
    low = atom.min if shortest < atom.min else 0
    high = atom.max if longest is None or (atom.max is not None and longest > atom.max) else None
    return low, high


@lru_cache(maxsize=1024)
def _of_any_length(atom: StringAtom) -> Dfa:
    """The decoded texts of `atom`, whatever their length."""
    dfa: Dfa | None = None
    for part in (*map(pattern_dfa, sorted(atom.patterns)), *map(format_dfa, sorted(atom.formats))):
        dfa = part if dfa is None else dfa & part
    if dfa is None:
        dfa = any_text()
    for part in (*map(pattern_dfa, sorted(atom.not_patterns)), *map(format_dfa, sorted(atom.not_formats))):
        dfa = dfa - part
    return dfa - literals(map(_encoded, atom.excluded)) if atom.excluded else dfa


@lru_cache(maxsize=1024)
def decoded_keys(keys: "Keys") -> Dfa:
    """The decoded texts of the keys in `keys`."""
    dfa = any_text() if keys.strings is None else _union([decoded(atom) for atom in keys.strings])
    for pattern in sorted(keys.patterns):
        dfa = dfa & pattern_dfa(pattern)
    for pattern in sorted(keys.not_patterns):
        dfa = dfa - pattern_dfa(pattern)
    return dfa - literals(map(_encoded, keys.names)) if keys.names else dfa


def keys_exist(keys: "Keys") -> bool:
    """Whether any key is in `keys`."""
    return keys.is_simple or not decoded_keys(keys).is_empty


def _union(parts: list[Dfa]) -> Dfa:
    result = literals(())
    for part in parts:
        result = part if result.is_empty else result | part
    return result


@lru_cache(maxsize=1024)
def quoted(texts: Dfa, escapes: Escapes = "usual") -> Dfa:
    """The JSON strings whose decoded text is in `texts`, quotes included."""
    body = json_string_body(texts, escapes=escapes)
    if body.is_empty:
        return body
    n = body.num_states
    # The quote gets a class of its own: it opens, and it closes where the body may end.
    table = np.full((n + 2, body.num_classes + 1), -1, np.int32)
    table[:n, :-1] = body.table
    inside = body.table[:, body.byte_class[ord('"')]]  # behind a backslash
    table[:n, -1] = np.where(body.accepting, n + 1, inside)
    table[n, -1] = 0
    byte_class = body.byte_class.copy()
    byte_class[ord('"')] = body.num_classes
    accepting = np.zeros(n + 2, np.bool_)
    accepting[n + 1] = True
    return Dfa(byte_class, table, accepting, n)


def quoted_keys(keys: "Keys") -> LeafTables:
    """The JSON strings whose decoded text is in `keys`."""
    if keys.is_simple and not keys.names:
        return leaf_tables.of_dfa(any_quoted())
    if keys.is_simple and all(map(_PLAIN_NAME.fullmatch, keys.names)):
        return _all_but(keys.names)
    return leaf_tables.of_dfa(quoted(decoded_keys(keys)))


@lru_cache(maxsize=256)
def _all_but(names: frozenset[str]) -> LeafTables:
    """Every JSON string but `names`, which have one spelling each.

    A tree of the names grows out of the state between two characters of the automaton of all strings: a byte that
    leaves the tree goes on as it would there, and behind a whole name the string cannot end.
    """
    dfa = quoted(any_text())
    ordered = sorted(map(str.encode, names))
    return leaf_tables.without(leaf_tables.of_dfa(dfa), ordered, inside=dfa.walk(b'"'), end=ord('"'))


@lru_cache(maxsize=1)
def any_quoted() -> Dfa:
    """Every JSON string."""
    return quoted(any_text(), "all")


@lru_cache(maxsize=1)
def one_character() -> Dfa:
    """One character of a JSON string as it may be spelled between quotes."""
    return json_string_body(length_between(1, 1), escapes="all")


def spellings(text: str) -> list[bytes]:
    """How a string that is listed may be written: as UTF-8, and in ASCII as `json.dumps` does by default."""
    ascii_text = encode_basestring_ascii(text).encode()
    if text.isascii():
        return [ascii_text]
    raw = json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return [ascii_text] if any(0xD800 <= ord(character) < 0xE000 for character in text) else [raw, ascii_text]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
