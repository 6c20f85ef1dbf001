"""Shapes: constraints as values that combine.

    date = shapes.iso_date.capture("born")
    line = "Name: " + shapes.regex("[A-Z][a-z]+").capture("name") + ", born " + date
    s += sf.gen("line", grammar=line)

A shape is a spec of `slipform.grammars.spec` with two things that grammars do not know: how the texts of its captures
become values, and how its parts are sampled. Texts may stand wherever a shape may, and mean themselves.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from slipform.errors import ArgumentError
from slipform.grammars.spec import (
    AllOf,
    AnyOf,
    AnyText,
    Capture,
    Choice,
    Except,
    GrammarSpec,
    Recursive,
    Regex,
    Repeated,
    Series,
)
from slipform.lang import offline
from slipform.lang.options import SamplingOptions
from slipform.lang.origin import at, caller_origin
from slipform.lang.types import ValueType, json_type, plain_type

if TYPE_CHECKING:
    from slipform.lang.shape_pieces import Piece


@dataclass(frozen=True, slots=True)
class Match:
    """A text that a shape accepts as a whole, and what its captures stand for.

    Attributes:
        captures: by name; a list where the capture is part of a repetition or stands in several places, None where an
            optional part is missing.
    """

    text: str
    captures: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.captures[name]


@dataclass(frozen=True, slots=True)
class Completion:
    """How a text can go on.

    Attributes:
        is_match: the text matches as it stands. forced: what every continuation begins with.
        shortest: a short text that completes it.
    """

    is_match: bool
    forced: str
    shortest: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A constraint that combines with others and with plain text.

    a + b       a, then b                       a | b    one of them
    a & b       both at once                    a - b    a, and not b
    a * 3       three of them; a * (1, 5) one to five

    Both sides of `&` and `-` must do without a stack: JSON and grammars may stand there as long as they nest to a
    bounded depth; others are refused by name.

    Attributes:
        spec: what the text must match. value_type: how the whole text becomes a value, or None for the text itself.
        types: the same for captures, by name. options: how this part is sampled; what is None comes from the hole.
    """

    spec: GrammarSpec
    value_type: ValueType | None = field(default=None, compare=False)
    types: tuple[tuple[str, ValueType], ...] = field(default=(), compare=False)
    options: SamplingOptions | None = None
    parts: "tuple[Shape, ...]" = ()
    """The parts of a sequence in which something has options of its own; otherwise empty."""

    # Combining

    def __add__(self, other: object) -> "Shape":
        return sequence(self, other)

    def __radd__(self, other: object) -> "Shape":
        return sequence(other, self)

    def __or__(self, other: object) -> "Shape":
        return one_of(self, other)

    def __ror__(self, other: object) -> "Shape":
        return one_of(other, self)

    def __and__(self, other: object) -> "Shape":
        both = (self, as_shape(other))
        return _combined(AllOf(tuple(shape.spec for shape in both)), both)

    def __rand__(self, other: object) -> "Shape":
        return as_shape(other) & self

    def __sub__(self, other: object) -> "Shape":
        excluded = as_shape(other)
        return _combined(Except(self.spec, excluded.spec), (self,))

    def __rsub__(self, other: object) -> "Shape":
        return as_shape(other) - self

    def __mul__(self, count: int | tuple[int, int | None]) -> "Shape":
        minimum, maximum = (count, count) if isinstance(count, int) else count
        return self.repeat(minimum, maximum)

    def repeat(self, minimum: int = 0, maximum: int | None = None, *, separator: object | None = None) -> "Shape":
        """`minimum` to `maximum` of these (None: any number), with `separator` between neighbours."""
        if minimum < 0 or (maximum is not None and maximum < minimum):
            raise _wrong(f"no count is between {minimum} and {maximum}", "repeat")
        between = None if separator is None else as_shape(separator)
        inner = (self,) if between is None else (self, between)
        return _combined(Repeated(self.spec, minimum, maximum, between.spec if between else None), inner)

    def optional(self) -> "Shape":
        """This, or nothing."""
        return self.repeat(0, 1)

    def many(self, *, separator: object | None = None) -> "Shape":
        """Any number of these, none included."""
        return self.repeat(0, None, separator=separator)

    def some(self, *, separator: object | None = None) -> "Shape":
        """One of these or more."""
        return self.repeat(1, None, separator=separator)

    def capture(self, name: str, type: Any = None) -> "Shape":
        """The text of this part becomes variable `name`, of a type if one is given (`int`, `date`, a model …)."""
        if not name.isidentifier():
            raise _wrong(f"{name!r} is no name for a variable", "capture")
        value = _reader(type) if type is not None else self.value_type
        types = self.types if value is None else (*self.types, (name, value))
        return Shape(Capture(name, self.spec), self.value_type, types, self.options, self.parts)

    def using(self, **options: Any) -> "Shape":
        """This part is sampled with these options: `temperature`, `max_tokens`, `top_p` … as of `sf.gen`.

        The part must end by itself, or be followed by a text that ends it; a part that runs out of its `max_tokens` is
        closed along the shortest way.
        """
        allowed = {"max_tokens", "temperature", "top_p", "top_k", "min_p", "seed", "repetition_penalty", "logit_bias"}
        wrong = sorted(set(options) - allowed)
        if wrong:
            raise _wrong(f"a part has no option {wrong[0]!r}; known: {', '.join(sorted(allowed))}", "using")
        return Shape(self.spec, self.value_type, self.types, SamplingOptions.of(options), self.parts)

    # Without a model

    def match(self, text: str) -> Match | None:
        """The match of the whole text, or None. Raises: GrammarError for a shape that cannot be honoured."""
        if not offline.matches(self.spec, text):
            return None
        return Match(text, self.read(text))

    def complete(self, prefix: str = "") -> Completion | None:
        """How a text that begins with `prefix` may go on, or None if it cannot become a match."""
        data = prefix.encode()
        at = offline.matcher(self.spec)
        if at.accept_bytes(data) < len(data):
            return None
        forced = at.forced_bytes().decode("utf-8", "ignore")
        return Completion(at.is_accepting, forced, at.shortest_completion().decode())

    def sample(self, seed: int | None = None, *, max_chars: int = 200) -> str:
        """A text of this shape, drawn without a model: letter by letter, any that may follow.

        Beyond `max_chars` characters it is completed the shortest way.
        """
        return offline.sample(self.spec, seed, max_chars)

    def explain(self) -> str:
        """The shape as a tree, with an example."""
        from slipform.lang.shape_text import explain

        return explain(self)

    # For programs

    @property
    def captures(self) -> dict[str, bool]:
        """The names of captures, and whether each is a list."""
        return capture_names(self.spec)

    def read(self, text: str) -> dict[str, Any]:
        """The captures of a text that matches. Raises: ValueError if one cannot be read as its type."""
        many = self.captures
        if not many:
            return {}
        types = dict(self.types)
        values: dict[str, Any] = {name: [] if is_list else None for name, is_list in many.items()}
        for name, part in offline.all_captured(self.spec, text):
            value = types[name].parse(part) if name in types else part
            if many[name]:
                values[name].append(value)
            else:
                values[name] = value
        return values

    def pieces(self) -> "tuple[Piece, ...]":
        """What becomes a hole of its own; see shape_pieces.py."""
        from slipform.lang.shape_pieces import cut

        return cut(self)

    @property
    def pattern(self) -> str:
        """A regular expression (Python `re`) of the same texts. Raises: ArgumentError for a shape that has none."""
        return pattern_of(self.spec)

    # Inside Pydantic models: `Annotated[str, shapes.email]`

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        pattern = re.compile(self.pattern)

        def check(value: Any) -> Any:
            if not isinstance(value, str) or pattern.fullmatch(value) is None:
                raise ValueError(f"{value!r} does not have the wanted shape")
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}


def as_shape(value: object) -> Shape:
    """A shape, a text that means itself, a compiled regular expression, or a spec.

    Raises: ArgumentError for anything else.
    """
    if isinstance(value, Shape):
        return value
    if isinstance(value, str):
        return Shape(Choice((value,)))
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        return Shape(Regex(value.pattern))
    if isinstance(value, GrammarSpec):
        return Shape(value)
    raise _wrong(f"{value!r} of type {type(value).__name__} is no shape and no text", "shape")


def sequence(*parts: object) -> Shape:
    """The parts, one after the other."""
    shapes: list[Shape] = []
    for part in map(as_shape, parts):
        # A sequence without options of its own is taken apart, so that a + b + c is one sequence.
        inner = part.parts if part.parts and part.options is None and not isinstance(part.spec, Capture) else (part,)
        shapes.extend(inner)
    specs: list[GrammarSpec] = []
    for shape in shapes:
        specs.extend(shape.spec.parts if isinstance(shape.spec, Series) else (shape.spec,))
    combined = _combined(Series(tuple(specs)), shapes)
    return Shape(combined.spec, None, combined.types, None, tuple(shapes))


def one_of(*options: object) -> Shape:
    """One of the options: texts or shapes."""
    if not options:
        raise _wrong("needs at least one option", "one_of")
    shapes = [as_shape(option) for option in options]
    if all(isinstance(shape.spec, Choice) for shape in shapes):
        texts = [text for shape in shapes if isinstance(shape.spec, Choice) for text in shape.spec.options]
        return Shape(Choice(tuple(dict.fromkeys(texts))))
    return _combined(AnyOf(tuple(shape.spec for shape in shapes)), shapes)


def _combined(spec: GrammarSpec, parts: "list[Shape] | tuple[Shape, ...]") -> Shape:
    types = dict(pair for part in parts for pair in part.types)
    if not isinstance(spec, Series) and any(part.options is not None or _has_options(part) for part in parts):
        raise _wrong(
            "a part with options of its own can stand in sequences only: which of several alternatives is written, and "
            "how often, is known when it has been. Give the options to the whole of it, as in (a | b).using(…) or "
            "a.many().using(…), or write a hole of its own for each",
            "using",
        )
    return Shape(spec, None, tuple(types.items()))


def _wrong(message: str, primitive: str) -> ArgumentError:
    """An error that names the user's line."""
    return ArgumentError(f"{message}{at(caller_origin())}", primitive=primitive)


def _has_options(shape: Shape) -> bool:
    return any(part.options is not None or _has_options(part) for part in shape.parts)


def has_options(shape: Shape) -> bool:
    """Whether a part of the shape is sampled in a way of its own."""
    return shape.options is not None or _has_options(shape)


def _reader(kind: Any) -> ValueType:
    """How the text of a capture becomes a value of `kind`: numbers from their digits, other types as `dtype` of gen."""
    if kind in (int, float, bool):
        reader = json_type(kind)
        return ValueType(reader.label, reader.spec, _python_scalar(kind))
    if kind is str:
        return ValueType("str", AnyText(), str)
    return plain_type(kind)


def _python_scalar(kind: Any) -> Any:
    def read(text: str) -> Any:
        if kind is bool:
            return {"true": True, "false": False}[text.strip().lower()]
        return kind(text)

    return read


def capture_names(spec: GrammarSpec) -> dict[str, bool]:
    """Names of captures in order, and whether each may occur more than once."""
    match spec:
        case Capture(name, body):
            inner = capture_names(body)
            return {**inner, name: name in inner}
        case Series(parts):
            found: dict[str, bool] = {}
            for part in parts:
                for name, is_list in capture_names(part).items():
                    found[name] = is_list or name in found
            return found
        case AnyOf(options):
            merged: dict[str, bool] = {}
            for option in options:
                for name, is_list in capture_names(option).items():
                    merged[name] = merged.get(name, False) or is_list
            return merged
        case Repeated(body, _, maximum, separator):
            names = capture_names(body) | (capture_names(separator) if separator is not None else {})
            return {name: is_list or maximum != 1 for name, is_list in names.items()}
        case AllOf(parts):
            return {name: is_list for part in parts for name, is_list in capture_names(part).items()}
        case Except(body, _):
            return capture_names(body)
        case Recursive(rules):
            return {name: True for _, body in rules for name in capture_names(body)}
        case _:
            return {}


def pattern_of(spec: GrammarSpec) -> str:
    """A regular expression (Python `re`) of the same texts. Raises: ArgumentError for a spec that has none."""
    match spec:
        case Regex(pattern):
            return f"(?:{pattern})"
        case Choice(options):
            return f"(?:{'|'.join(map(re.escape, sorted(options, key=len, reverse=True)))})"
        case AnyText(None):
            return r"[\s\S]*"
        case Capture(_, body):
            return pattern_of(body)
        case Series(parts):
            return "".join(map(pattern_of, parts))
        case AnyOf(options):
            return f"(?:{'|'.join(map(pattern_of, options))})"
        case Repeated(body, minimum, maximum, None):
            return f"(?:{pattern_of(body)}){{{minimum},{'' if maximum is None else maximum}}}"
        case Repeated(body, minimum, maximum, separator):
            assert separator is not None
            if maximum == 0:
                return ""
            upper = "" if maximum is None else maximum - 1
            one = pattern_of(body)
            several = f"{one}(?:{pattern_of(separator)}{one}){{{max(minimum - 1, 0)},{upper}}}"
            return f"(?:{several})?" if minimum == 0 else several
        case _:
            raise ArgumentError(f"{type(spec).__name__} has no regular expression", primitive="pattern")
