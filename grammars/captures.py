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
    JsonText,
    Recursive,
    Reference,
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
        intersection, an exclusion or a JSON string.
    """
    return dict(all_captured(spec, text))


def all_captured(spec: GrammarSpec, text: str) -> list[tuple[str, str]]:
    """Name and text of every capture, in the order in which they end. Reads and raises as `captured`."""
    data = text.encode()
    for end, found in _Reader(data).read(spec, 0):
        if end == len(data):
            return [(name, data[start:stop].decode()) for name, start, stop in found]
    raise ValueError(f"the text does not match the spec: {text[:80]!r}")


Rules = tuple[tuple[str, GrammarSpec], ...]


class _Reader:
    """Reads one text. `rules`: those that references name, where the specs are parts of a recursive one."""

    def __init__(self, data: bytes, rules: Rules = ()) -> None:
        self.data = data
        self.rules = rules
        self.ends: dict[tuple[GrammarSpec, int], list[int]] = {}
        self.known: dict[tuple[str, int], list[tuple[int, Found]]] = {}

    def read(self, spec: GrammarSpec, start: int) -> Iterator[tuple[int, Found]]:
        """Ends of the texts of `spec` from `start`, preferred ones first, with the captures in them."""
        if not has_capture(spec, self.rules):
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
            case Recursive(rules, first):
                yield from _Reader(self.data, rules).read(Reference(first), start)
            case Reference(rule):
                yield from self.read_rule(rule, start)
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

    def read_rule(self, rule: str, start: int) -> list[tuple[int, Found]]:
        """One reading for each end, the preferred one. A rule that begins with itself has no text there yet."""
        key = (rule, start)
        if key not in self.known:
            self.known[key] = []
            ends: dict[int, Found] = {}
            for end, found in self.read(dict(self.rules)[rule], start):
                ends.setdefault(end, found)
            self.known[key] = list(ends.items())
        return self.known[key]

    def ends_of(self, spec: GrammarSpec, start: int) -> list[int]:
        """Where texts of a spec without captures end, the farthest first."""
        key = (spec, start)
        if key not in self.ends:
            whole = Recursive((*self.rules, (_PART, spec)), _PART) if self.rules else spec
            matcher = compile_grammar(whole, _bytes()).matcher()
            ends = [start] if matcher.is_accepting else []
            for at in range(start, len(self.data)):
                if not matcher.accept_bytes(self.data[at : at + 1]):
                    break
                if matcher.is_accepting:
                    ends.append(at + 1)
            self.ends[key] = ends[::-1]
        return self.ends[key]


_PART = "part of a rule"  # no name that a rule can have


@lru_cache(maxsize=1)
def _bytes() -> Vocabulary:
    """A vocabulary of single bytes and an end token."""
    return Vocabulary.from_tokens([*(bytes([byte]) for byte in range(256)), b""], [256], [256])


def has_capture(spec: GrammarSpec, rules: Rules = ()) -> bool:
    """Whether a `Capture` is part of the spec; a reference counts as a part where one of `rules` has a capture."""
    match spec:
        case Capture():
            return True
        case Reference():
            return any(has_capture(body) for _, body in rules)
        case Series(parts):
            return any(has_capture(part, rules) for part in parts)
        case AnyOf(options):
            return any(has_capture(option, rules) for option in options)
        case Repeated(body, _, _, separator):
            return has_capture(body, rules) or (separator is not None and has_capture(separator, rules))
        case StructuralTag(tags):
            return any(has_capture(tag.content) for tag in tags)
        case Recursive(own):
            return any(has_capture(body) for _, body in own)
        case AllOf(parts):
            return any(map(has_capture, parts))
        case Except(body, excluded):
            return has_capture(body) or has_capture(excluded)
        case JsonText(body):
            return has_capture(body)
        case _:
            return False
