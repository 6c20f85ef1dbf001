"""What a fill must look like, as hashable values: a spec is its own cache key. Imports nothing heavy."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Regex:
    """The whole text matches `pattern` (Python `re` syntax, as `re.fullmatch`)."""

    pattern: str


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """The text is one JSON value that `schema` accepts.

    Attributes:
        schema: JSON text of the schema (2020-12; draft-07 and 2019-09 by `$schema`). Build it with `JsonSchema.of`
            from a dict or a bool; the text keeps the order of properties.
        property_order: "declared": properties appear in the order of `properties`; "any": in any order.
        whitespace: "flexible": compact and one-space styles are both legal; "compact": no white space at all.
        formats: "enforced": the usual ones are asserted; "all": rare ones too (docs/json-schema.md says which);
            "annotation": none, as the standard has it by default, unless the metaschema in `$schema` (one of
            `resources`) uses the format-assertion vocabulary.
        integers: "standard": a whole number may be written `3.0`, which JSON Schema counts among the integers; "plain":
            only as `3`, for readers that take `3.0` for a float.
        resources: (URI, JSON text) of other documents that references and `$schema` may lead to. Nothing is fetched.
    """

    schema: str
    property_order: Literal["declared", "any"] = "declared"
    whitespace: Literal["flexible", "compact"] = "flexible"
    formats: Literal["enforced", "all", "annotation"] = "enforced"
    integers: Literal["standard", "plain"] = "standard"
    resources: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        schema: Mapping[str, Any] | bool | str,
        *,
        property_order: Literal["declared", "any"] = "declared",
        whitespace: Literal["flexible", "compact"] = "flexible",
        formats: Literal["enforced", "all", "annotation"] = "enforced",
        integers: Literal["standard", "plain"] = "standard",
        resources: Mapping[str, Mapping[str, Any] | bool | str] | None = None,
    ) -> "JsonSchema":
        texts = tuple((uri, _json_text(document)) for uri, document in (resources or {}).items())
        return cls(_json_text(schema), property_order, whitespace, formats, integers, texts)


def _json_text(document: Mapping[str, Any] | bool | str) -> str:
    return document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """The text is exactly one of `options`."""

    options: tuple[str, ...]

    @classmethod
    def of(cls, options: Sequence[str]) -> "Choice":
        return cls(tuple(options))


@dataclass(frozen=True, slots=True)
class Ebnf:
    """The text is derived from rule `root` of a GBNF grammar, as llama.cpp and xgrammar write it."""

    text: str
    root: str = "root"


@dataclass(frozen=True, slots=True)
class Lark:
    """The text is derived from rule `start` of a Lark grammar (the subset that llguidance documents)."""

    text: str
    start: str = "start"


@dataclass(frozen=True, slots=True)
class Tag:
    """One kind of tagged region: `begin`, then text of `content`, then `end`."""

    begin: str
    content: "GrammarSpec"
    end: str


@dataclass(frozen=True, slots=True)
class StructuralTag:
    """Free text in which each occurrence of a trigger starts one of `tags` (whose `begin` starts with that trigger).

    Attributes:
        at_least_one: the text cannot end before one tag has been written.
        stop_after_first: nothing may follow the first tag.
    """

    tags: tuple[Tag, ...]
    triggers: tuple[str, ...]
    at_least_one: bool = False
    stop_after_first: bool = False


@dataclass(frozen=True, slots=True)
class AnyText:
    """Any valid UTF-8 text; useful behind a healed seam and as a part of larger specs."""

    max_bytes: int | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Series:
    """A text of each part, one after the other."""

    parts: "tuple[GrammarSpec, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A text of at least one of the options."""

    options: "tuple[GrammarSpec, ...]"


@dataclass(frozen=True, slots=True)
class Repeated:
    """`minimum` to `maximum` (None: any number) texts of `body`, with a text of `separator` between neighbours."""

    body: "GrammarSpec"
    minimum: int = 0
    maximum: int | None = None
    separator: "GrammarSpec | None" = None

    @classmethod
    def optional(cls, body: "GrammarSpec") -> "Repeated":
        """A text of `body`, or nothing."""
        return cls(body, 0, 1)


@dataclass(frozen=True, slots=True)
class AllOf:
    """A text that every part accepts. Parts need no stack: JSON and grammars in them nest to a bounded depth."""

    parts: "tuple[GrammarSpec, ...]"


@dataclass(frozen=True, slots=True)
class Except:
    """A text of `body` that is no text of `excluded`. Both are regular, as in `AllOf`."""

    body: "GrammarSpec"
    excluded: "GrammarSpec"


@dataclass(frozen=True, slots=True)
class Substring:
    """A part of `document`, word for word and not empty: a quotation.

    Attributes:
        unit: "characters": any part; "words": begins and ends at borders of words (runs without white space).
    """

    document: str
    unit: Literal["characters", "words"] = "words"


@dataclass(frozen=True, slots=True)
class Until:
    """Any text up to the first occurrence of a delimiter; `inclusive`: with it, so that the text ends there."""

    delimiters: tuple[str, ...]
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class JsonText:
    """A JSON string, quotes included, whose decoded value is a text of `body`. `body` is regular, as in `AllOf`."""

    body: "GrammarSpec"


@dataclass(frozen=True, slots=True)
class Capture:
    """The text of `body`, which `slipform.grammars.captures.captured` finds again under `name`."""

    name: str
    body: "GrammarSpec"


@dataclass(frozen=True, slots=True)
class Reference:
    """A text of rule `name` of the `Recursive` around it."""

    name: str


@dataclass(frozen=True, slots=True)
class Recursive:
    """Rules that may mention each other and themselves; the text is one of rule `start`.

    Attributes:
        rules: pairs of name and body. References stand in sequences, alternatives and repetitions only, and a nested
            `Recursive` has rules of its own.
    """

    rules: "tuple[tuple[str, GrammarSpec], ...]"
    start: str


def think_then_answer(answer: "GrammarSpec", *, begin: str = "<think>", end: str = "</think>") -> Series:
    """Reasoning in free text between `begin` and the first `end`, white space, then `answer`."""
    thoughts = Capture("thoughts", Until((end,)))
    return Series((Choice((begin,)), thoughts, Choice((end,)), Regex(r"\s{0,2}"), Capture("answer", answer)))


GrammarSpec = (
    Regex
    | JsonSchema
    | Choice
    | Ebnf
    | Lark
    | StructuralTag
    | AnyText
    | Series
    | AnyOf
    | Repeated
    | AllOf
    | Except
    | Substring
    | Until
    | JsonText
    | Capture
    | Reference
    | Recursive
)
