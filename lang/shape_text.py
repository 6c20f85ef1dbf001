"""Shapes for people: a tree of what stands in them."""

from collections.abc import Iterator

from slipform.grammars.spec import (
    AllOf,
    AnyOf,
    AnyText,
    Capture,
    Choice,
    Ebnf,
    Except,
    GrammarSpec,
    JsonSchema,
    JsonText,
    Lark,
    Recursive,
    Reference,
    Regex,
    Repeated,
    Series,
    StructuralTag,
    Substring,
    Until,
)
from slipform.lang.shape import Shape


def explain(shape: Shape) -> str:
    """The tree of a shape, and a shortest text. Raises: GrammarError for a shape that cannot be honoured."""
    example = shape.complete()
    assert example is not None
    return "\n".join([*tree(shape.spec), f"for example {example.shortest!r}"])


def tree(spec: GrammarSpec, prefix: str = "") -> Iterator[str]:
    """One line a node; `prefix` stands before the first."""
    yield prefix + label(spec)
    inner = children(spec)
    for index, (name, child) in enumerate(inner):
        last = index == len(inner) - 1
        for number, line in enumerate(tree(child, name)):
            if number == 0:
                yield f"{'└─ ' if last else '├─ '}{line}"
            else:
                yield f"{'   ' if last else '│  '}{line}"


def label(spec: GrammarSpec) -> str:
    """One line for a node, without what stands below it."""
    match spec:
        case Regex(pattern):
            return f"regex {shorten(pattern)}"
        case JsonSchema(schema):
            return f"JSON of {shorten(schema)}"
        case Choice((text,)):
            return repr(text)
        case Choice(options):
            return f"one of {len(options)}: {shorten(', '.join(map(repr, options)))}"
        case Ebnf(_, root):
            return f"EBNF grammar, root {root}"
        case Lark(_, start):
            return f"Lark grammar, start {start}"
        case StructuralTag(tags):
            return f"text with tags {', '.join(tag.begin for tag in tags)}"
        case AnyText(None):
            return "any text"
        case AnyText(max_bytes):
            return f"any text up to {max_bytes} bytes"
        case Series():
            return "sequence"
        case AnyOf():
            return "alternatives"
        case Repeated(_, minimum, maximum, separator):
            count = "any number" if (minimum, maximum) == (0, None) else f"{minimum} to {maximum or 'any number'}"
            if (minimum, maximum) == (0, 1):
                return "optional"
            return f"repeated, {count}" + (", separated" if separator is not None else "")
        case AllOf():
            return "all of"
        case Except():
            return "first, and not second"
        case JsonText():
            return "JSON string of"
        case Substring(document, unit):
            return f"quotation by {unit} of {shorten(document)!r}"
        case Until(delimiters, inclusive):
            ends = " or ".join(map(repr, delimiters))
            return f"text up to {ends}" + (", which is part of it" if inclusive else "")
        case Capture(name):
            return f"capture {name}"
        case Reference(name):
            return f"rule {name} again"
        case Recursive(rules, start):
            return f"{len(rules)} rules, beginning with {start}"


def children(spec: GrammarSpec) -> list[tuple[str, GrammarSpec]]:
    """The parts of a node in order, each with what names it."""
    match spec:
        case Series(parts) | AnyOf(parts) | AllOf(parts):
            return [("", part) for part in parts]
        case Repeated(body, _, _, separator):
            return [("", body)] if separator is None else [("", body), ("separator ", separator)]
        case Capture(_, body) | JsonText(body):
            return [("", body)]
        case Except(body, excluded):
            return [("", body), ("not ", excluded)]
        case Recursive(rules):
            return [(f"{name} = ", body) for name, body in rules]
        case StructuralTag(tags):
            return [(f"{tag.begin} … {tag.end}: ", tag.content) for tag in tags]
        case _:
            return []


def shorten(text: str, width: int = 60) -> str:
    """One line of at most `width` characters."""
    flat = text.replace("\n", "⏎")
    return flat if len(flat) <= width else f"{flat[: width - 1]}…"
