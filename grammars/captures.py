"""Named captures: which part of a finished text each `Capture` of its spec stands for."""

from collections.abc import Iterator
from functools import lru_cache

from slipform.errors import UnsupportedGrammar
from slipform.grammars.compiler import compile_grammar
from slipform.grammars.spec import (
    AllOf,
    AnyOf,
    Capture,
    Except,
    GrammarSpec,
    Recursive,
    Repeated,
    Series,
    StructuralTag,
)
from slipform.grammars.vocabulary import Vocabulary

Found = tuple[tuple[str, int, int], ...]


def captured(spec: GrammarSpec, text: str) -> dict[str, str]:
    """The text of each capture by name; of several with one name the last.

    Where a text can be read in several ways the first counts in which each part, from the left, takes the first option
    and as much as it can.

    Raises: ValueError if `text` does not match `spec`; UnsupportedGrammar for a capture inside a structural tag, an
        intersection, an exclusion or a recursive rule.
    """
    return dict(all_captured(spec, text))


def all_captured(spec: GrammarSpec, text: str) -> list[tuple[str, str]]:
    """Name and text of every capture, in the order in which they end. Reads and raises as `captured`."""
    data = text.encode()
    for end, found in _Reader(data).read(spec, 0):
        if end == len(data):
            return [(name, data[start:stop].decode()) for name, start, stop in found]
    raise ValueError(f"the text does not match the spec: {text[:80]!r}")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.ends: dict[tuple[GrammarSpec, int], list[int]] = {}

    def read(self, spec: GrammarSpec, start: int) -> Iterator[tuple[int, Found]]:
        """Ends of the texts of `spec` from `start`, preferred ones first, with the captures in them."""
        if not has_capture(spec):
            for end in self.ends_of(spec, start):
                yield end, ()
            return
        match spec:
            case Capture(name, body):
                for end, found in self.read(body, start):
                    yield end, (*found, (name, start, end))
            case Series(parts):
                yield from self.read_parts(parts, start)
            case AnyOf(options):
                for option in options:
                    yield from self.read(option, start)
            case Repeated():
                yield from self.read_repeated(spec, 0, start)
            case _:
                raise UnsupportedGrammar(f"capture inside {type(spec).__name__}")

    def read_parts(self, parts: tuple[GrammarSpec, ...], start: int) -> Iterator[tuple[int, Found]]:
        if not parts:
            yield start, ()
            return
        for middle, first in self.read(parts[0], start):
            for end, rest in self.read_parts(parts[1:], middle):
                yield end, (*first, *rest)

    def read_repeated(self, spec: Repeated, count: int, start: int) -> Iterator[tuple[int, Found]]:
        """As many as possible first; an empty repetition beyond the minimum adds nothing and is not tried."""
        if spec.maximum is None or count < spec.maximum:
            item = spec.body if count == 0 or spec.separator is None else Series((spec.separator, spec.body))
            for middle, first in self.read(item, start):
                if middle > start or count < spec.minimum:
                    for end, rest in self.read_repeated(spec, count + 1, middle):
                        yield end, (*first, *rest)
        if count >= spec.minimum:
            yield start, ()

    def ends_of(self, spec: GrammarSpec, start: int) -> list[int]:
        """Where texts of a spec without captures end, the farthest first."""
        key = (spec, start)
        if key not in self.ends:
            matcher = compile_grammar(spec, _bytes()).matcher()
            ends = [start] if matcher.is_accepting else []
            for at in range(start, len(self.data)):
                if not matcher.accept_bytes(self.data[at : at + 1]):
                    break
                if matcher.is_accepting:
                    ends.append(at + 1)
            self.ends[key] = ends[::-1]
        return self.ends[key]


@lru_cache(maxsize=1)
def _bytes() -> Vocabulary:
    """A vocabulary of single bytes and an end token."""
    return Vocabulary.from_tokens([*(bytes([byte]) for byte in range(256)), b""], [256], [256])


def has_capture(spec: GrammarSpec) -> bool:
    """Whether a `Capture` is part of the spec."""
    match spec:
        case Capture():
            return True
        case Series(parts):
            return any(map(has_capture, parts))
        case AnyOf(options):
            return any(map(has_capture, options))
        case Repeated(body, _, _, separator):
            return has_capture(body) or (separator is not None and has_capture(separator))
        case StructuralTag(tags):
            return any(has_capture(tag.content) for tag in tags)
        case Recursive(rules):
            return any(has_capture(body) for _, body in rules)
        case AllOf(parts):
            return any(map(has_capture, parts))
        case Except(body, excluded):
            return has_capture(body) or has_capture(excluded)
        case _:
            return False
