"""Cutting a sequence whose parts are sampled in ways of their own into holes that follow each other in one request.

A hole ends where its text is complete and nothing may follow. So a cut is possible only behind a part that ends by
itself; a text that follows (`shapes.until` and its delimiter, digits and a comma) makes it end and goes with it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipform.errors import ArgumentError, UnsupportedGrammar
from slipform.grammars.spec import AnyOf, Capture, Choice, GrammarSpec, JsonSchema, Repeated, Series, Until
from slipform.lang import offline
from slipform.lang.options import SamplingOptions
from slipform.lang.shape import Shape, has_options


@dataclass(frozen=True, slots=True)
class Piece:
    """One hole of a shape: what it must match, and how it is sampled where that is said."""

    spec: GrammarSpec
    options: SamplingOptions


def cut(shape: Shape) -> tuple[Piece, ...]:
    """The holes of a shape, in order; a single one where no part has options of its own.

    Raises: ArgumentError naming a part that does not end by itself.
    """
    if not has_options(shape):
        return (Piece(shape.spec, SamplingOptions()),)
    pieces: list[Piece] = []
    group: list[GrammarSpec] = []
    options: SamplingOptions | None = None

    def close(number: int) -> None:
        nonlocal options
        if group:
            spec = group[0] if len(group) == 1 else Series(tuple(group))
            if number < len(parts) and not ends_by_itself(spec):
                raise ArgumentError(
                    f"part {number} of the sequence does not end by itself, so the next one cannot be sampled in "
                    f"another way; put a text behind it that cannot be part of it",
                    primitive="using",
                )
            pieces.append(Piece(spec, options or SamplingOptions()))
            group.clear()
        options = None

    parts = _flat(shape)
    for number, part in enumerate(parts):
        own = part.options
        continues = own is None and options is not None and _is_literal(part.spec) and not _ends(group)
        if own != options and not continues:
            close(number)
            options = own
        group.append(part.spec)
    close(len(parts))
    return tuple(pieces)


def _flat(shape: Shape) -> list[Shape]:
    """The parts of a sequence and of the sequences in it; captures around a sequence with options fall away here."""
    if not shape.parts:
        return [shape]
    own = [part if part.options is not None else _under(part, shape.options) for part in shape.parts]
    return [flat for part in own for flat in _flat(part)]


def _under(part: Shape, options: SamplingOptions | None) -> Shape:
    return Shape(part.spec, part.value_type, part.types, options, part.parts)


def _ends(group: list[GrammarSpec]) -> bool:
    return bool(group) and ends_by_itself(group[0] if len(group) == 1 else Series(tuple(group)))


def _is_literal(spec: GrammarSpec) -> bool:
    return isinstance(spec, Choice) and len(spec.options) == 1


def ends_by_itself(spec: GrammarSpec) -> bool:
    """Whether no text of the spec begins another one; False where that cannot be told."""
    match spec:
        case Capture(_, body):
            return ends_by_itself(body)
        case JsonSchema(schema):
            return _json_ends(json.loads(schema))
        case Until(_, inclusive):
            return inclusive
        case _ if _has_json(spec):
            return isinstance(spec, Series) and all(ends_by_itself(part) for part in spec.parts)
        case _:
            try:
                return offline.is_prefix_free(spec)
            except UnsupportedGrammar:
                return False


def _has_json(spec: GrammarSpec) -> bool:
    match spec:
        case JsonSchema():
            return True
        case Capture(_, body):
            return _has_json(body)
        case Series(parts) | AnyOf(parts):
            return any(map(_has_json, parts))
        case Repeated(body, _, _, separator):
            return _has_json(body) or (separator is not None and _has_json(separator))
        case _:
            return False


def _json_ends(schema: Any) -> bool:
    """Objects, arrays, texts and the three words end with their last character; numbers may go on."""
    if not isinstance(schema, Mapping):
        return False
    if "$ref" in schema and str(schema["$ref"]).startswith("#/$defs/"):
        return _json_ends(schema.get("$defs", {}).get(schema["$ref"].removeprefix("#/$defs/")))
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds or ["number"]
    return not {"number", "integer"} & set(kinds)
