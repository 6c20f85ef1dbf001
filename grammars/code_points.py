"""Sets of Unicode code points as inversion lists.

A set is a sorted tuple of even length: code points from `set[0]` up to but not `set[1]`, from `set[2]` up to but not
`set[3]`, and so on. Tuples hash, compare by content and need no class of their own.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

CodePoints = tuple[int, ...]

END: Final = 0x110000
NOTHING: Final[CodePoints] = ()
EVERYTHING: Final[CodePoints] = (0, END)


def single(code: int) -> CodePoints:
    return (code, code + 1)


def span(low: int, high: int) -> CodePoints:
    """`low` to `high`, both included."""
    return (low, high + 1)


def of_text(text: str) -> CodePoints:
    """The characters of `text`."""
    return union(single(ord(character)) for character in text)


def union(sets: Iterable[CodePoints]) -> CodePoints:
    spans: list[tuple[int, int]] = []
    for code_points in sets:
        spans += zip(code_points[::2], code_points[1::2], strict=True)
    spans.sort()
    result: list[int] = []
    for low, high in spans:
        if result and low <= result[-1]:
            result[-1] = max(result[-1], high)
        else:
            result += (low, high)
    return tuple(result)


def complement(code_points: CodePoints) -> CodePoints:
    inner = code_points[1:] if code_points[:1] == (0,) else (0, *code_points)
    return inner[:-1] if inner[-1:] == (END,) else (*inner, END)


def intersection(a: CodePoints, b: CodePoints) -> CodePoints:
    return complement(union([complement(a), complement(b)]))


def difference(a: CodePoints, b: CodePoints) -> CodePoints:
    return intersection(a, complement(b))


def contains(code_points: CodePoints, code: int) -> bool:
    return bisect_right(code_points, code) % 2 == 1
