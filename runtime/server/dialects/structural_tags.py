"""Structural tags as xgrammar's users write them: the older list of structures, and the format tree."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slipform.grammars.spec import AnyOf, AnyText, Choice, GrammarSpec, Repeated, Series, StructuralTag, Tag, Until
from slipform.runtime.server.dialects import constraint as kinds
from slipform.runtime.server.dialects.constraint import Constraint, mapping, text
from slipform.runtime.server.http_errors import bad_request, unsupported


def structural_tag(value: Any, field: str) -> Constraint:
    """Either form, as an object or as its JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise bad_request(f"is not JSON: {error}", field) from error
    body = mapping(value, field)
    if "structures" in body:
        spec = _structures(body, field)
    elif "format" in body:
        spec = _format(body["format"], f"{field}.format")
    else:
        raise bad_request("needs `format`, or `structures` and `triggers`", field)
    return Constraint(spec, "structural_tag", field)


def _structures(body: Mapping[str, Any], field: str) -> GrammarSpec:
    tags = []
    for index, item in enumerate(_list(body["structures"], f"{field}.structures")):
        where = f"{field}.structures[{index}]"
        entry = mapping(item, where)
        schema = kinds.json_schema(entry.get("schema", True), f"{where}.schema").spec
        tags.append(Tag(text(entry.get("begin"), f"{where}.begin"), schema, _end(entry.get("end", ""), f"{where}.end")))
    triggers = tuple(text(trigger, f"{field}.triggers") for trigger in _list(body.get("triggers"), f"{field}.triggers"))
    return StructuralTag(tuple(tags), triggers, at_least_one=body.get("at_least_one") is True)


def _format(value: Any, field: str) -> GrammarSpec:
    body = mapping(value, field)
    kind = body.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise unsupported(f"{field}.type", f"must be one of {', '.join(_READERS)}, got {kind!r}")
    return reader(body, field)


def _json_schema(body: Mapping[str, Any], field: str) -> GrammarSpec:
    return kinds.json_schema(body.get("json_schema"), f"{field}.json_schema").spec


def _regex(body: Mapping[str, Any], field: str) -> GrammarSpec:
    return kinds.regex(body.get("pattern"), f"{field}.pattern").spec


def _grammar(body: Mapping[str, Any], field: str) -> GrammarSpec:
    return kinds.grammar(body.get("grammar"), f"{field}.grammar").spec


def _const_string(body: Mapping[str, Any], field: str) -> GrammarSpec:
    return Choice((text(body.get("value"), f"{field}.value"),))


def _any_text(body: Mapping[str, Any], field: str) -> GrammarSpec:
    return AnyText()


def _sequence(body: Mapping[str, Any], field: str) -> GrammarSpec:
    return Series(_all(body, field, "elements"))


def _or(body: Mapping[str, Any], field: str) -> GrammarSpec:
    return AnyOf(_all(body, field, "elements"))


def _tag(body: Mapping[str, Any], field: str) -> GrammarSpec:
    tag = _read_tag(body, field)
    content: GrammarSpec = Until((tag.end,)) if isinstance(tag.content, AnyText) and tag.end else tag.content
    return Series((Choice((tag.begin,)), content, Choice((tag.end,))))


def _triggered_tags(body: Mapping[str, Any], field: str) -> GrammarSpec:
    tags = tuple(
        _read_tag(mapping(item, f"{field}.tags[{index}]"), f"{field}.tags[{index}]")
        for index, item in enumerate(_list(body.get("tags"), f"{field}.tags"))
    )
    triggers = tuple(text(trigger, f"{field}.triggers") for trigger in _list(body.get("triggers"), f"{field}.triggers"))
    closed = tuple(
        Tag(tag.begin, Until((tag.end,)) if isinstance(tag.content, AnyText) and tag.end else tag.content, tag.end)
        for tag in tags
    )
    return StructuralTag(
        closed,
        triggers,
        at_least_one=body.get("at_least_one") is True,
        stop_after_first=body.get("stop_after_first") is True,
    )


def _tags_with_separator(body: Mapping[str, Any], field: str) -> GrammarSpec:
    tags = tuple(
        _tag(mapping(item, f"{field}.tags[{index}]"), f"{field}.tags[{index}]")
        for index, item in enumerate(_list(body.get("tags"), f"{field}.tags"))
    )
    separator = body.get("separator", "")
    if not isinstance(separator, str):
        raise bad_request("must be a string", f"{field}.separator")
    minimum = 1 if body.get("at_least_one") is True else 0
    maximum = 1 if body.get("stop_after_first") is True else None
    return Repeated(AnyOf(tags), minimum, maximum, Choice((separator,)) if separator else None)


def _read_tag(body: Mapping[str, Any], field: str) -> Tag:
    begin = text(body.get("begin"), f"{field}.begin")
    return Tag(begin, _format(body.get("content"), f"{field}.content"), _end(body.get("end", ""), f"{field}.end"))


def _end(value: Any, field: str) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise bad_request("must be a string", field)
    return value


def _all(body: Mapping[str, Any], field: str, name: str) -> tuple[GrammarSpec, ...]:
    parts = _list(body.get(name), f"{field}.{name}")
    return tuple(_format(part, f"{field}.{name}[{index}]") for index, part in enumerate(parts))


def _list(value: Any, field: str) -> Sequence[Any]:
    if not isinstance(value, list) or not value:
        raise bad_request("must be a list that is not empty", field)
    return value


_READERS: dict[str, Callable[[Mapping[str, Any], str], GrammarSpec]] = {
    "any_text": _any_text,
    "const_string": _const_string,
    "grammar": _grammar,
    "json_schema": _json_schema,
    "or": _or,
    "regex": _regex,
    "sequence": _sequence,
    "tag": _tag,
    "tags_with_separator": _tags_with_separator,
    "triggered_tags": _triggered_tags,
}
