"""Reading the text of a schema: exact numbers, key order kept, nothing dropped, bounded size and depth."""

import json
from decimal import Decimal
from typing import Any

import numpy as np

from slipform.errors import GrammarSyntaxError, GrammarTooLarge

Json = Any  # None | bool | int | Decimal | str | list[Json] | dict[str, Json]

_STEP = np.zeros(256, np.int8)  # what each byte adds to the depth
_STEP[[ord("["), ord("{")]] = 1
_STEP[[ord("]"), ord("}")]] = -1


class _DuplicateKey(Exception):
    """Leaves the JSON scanner as soon as an object repeats a key."""


def read_schema(text: str, *, max_chars: int, max_depth: int) -> Json:
    """The schema that `text` spells. Numbers with a fraction or an exponent are `Decimal`, so that bounds stay exact.

    Raises: GrammarTooLarge past `max_chars` characters or `max_depth` nested containers; GrammarSyntaxError when the
        text is not JSON, repeats a key of an object, or is neither an object nor a boolean.
    """
    if len(text) > max_chars:
        raise GrammarTooLarge("source_bytes", max_chars)
    if text.count("{") + text.count("[") > max_depth and _depth(text) > max_depth:
        raise GrammarTooLarge("depth", max_depth)
    try:
        schema = json.loads(text, object_pairs_hook=_object, parse_float=Decimal, parse_constant=_no_constant)
    except _DuplicateKey:
        path, key = _find_duplicate(text)
        raise GrammarSyntaxError(f"the key {key!r} appears twice", pattern=text, path=path or "/") from None
    except json.JSONDecodeError as error:
        raise GrammarSyntaxError(f"not JSON: {error.msg}", pattern=text, position=error.pos) from None
    except ValueError as error:  # NaN and infinities, integers beyond the interpreter's digit limit
        raise GrammarSyntaxError(f"not JSON: {error}", pattern=text) from None
    if not isinstance(schema, dict | bool):
        raise GrammarSyntaxError("a schema is an object or a boolean", pattern=text, path="/")
    return schema


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _DuplicateKey
    return result


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a JSON number")


def _depth(text: str) -> int:
    """The deepest nesting of brackets outside strings, up to where the text is not JSON any more."""
    outside = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])
    steps = _STEP[np.frombuffer(outside.encode("ascii", "ignore"), np.uint8)]
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0))


class _Pairs(list[tuple[str, Json]]):
    """An object read as its pairs, to look for the repeated key that made the first reading stop."""


def _find_duplicate(text: str) -> tuple[str, str]:
    """The pointer of the first object (outermost first) that repeats a key, and that key."""
    todo: list[tuple[str, Json]] = [("", json.loads(text, object_pairs_hook=_Pairs))]
    while todo:
        path, value = todo.pop()
        if isinstance(value, _Pairs):
            seen: set[str] = set()
            for key, _ in value:
                if key in seen:
                    return path, key
                seen.add(key)
            todo.extend((f"{path}/{escape_token(key)}", child) for key, child in reversed(value))
        elif isinstance(value, list):
            todo.extend((f"{path}/{index}", child) for index, child in reversed(list(enumerate(value))))
    raise AssertionError("a repeated key was reported and is not there")


def escape_token(key: str) -> str:
    """`key` as one reference token of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
