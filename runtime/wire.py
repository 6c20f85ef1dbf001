"""Requests, events and errors as plain values (dicts, lists, strings, numbers), for JSON and msgpack. Imports no torch.

Dataclasses and msgspec's structs become objects. Where a field may hold one of several classes, the object says which
under `type`, in snake case: `{"type": "fill", "constraint": {"type": "regex", "pattern": "[0-9]+"}}`. Fields at their
default are left out.
Reading trusts nothing: an unknown field, a missing one or a value of the wrong type is an `InvalidRequest` that says
where. NaN, which JSON lacks, is null.
"""

import math
import re
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

import slipform.errors as errors
from slipform.errors import InvalidRequest, SlipformError
from slipform.grammars import spec as grammar_specs
from slipform.grammars.spec import GrammarSpec
from slipform.runtime.request import (
    Event,
    FillFinished,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    SequenceResult,
    TextDelta,
)

# Deeper values are refused; nothing that a grammar compiler accepts is nested so deeply.
MAX_DEPTH = 200
# Names of programs, which requests of /v1/programs may bring for a server's metrics.
PROGRAM_NAME = r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"

_T = TypeVar("_T")
_Writer = Callable[[Any], Any]
_Reader = Callable[[Any, str, int], Any]


def request_to_plain(request: GenerateRequest) -> dict[str, Any]:
    """The request as an object of the fields of `GenerateRequest`."""
    return cast(dict[str, Any], _writer(GenerateRequest)(request))


def request_from_plain(value: Any) -> GenerateRequest:
    """The inverse of `request_to_plain`. Raises: InvalidRequest naming the field."""
    return _read(GenerateRequest, value)


def spec_to_plain(spec: GrammarSpec) -> dict[str, Any]:
    """A constraint as an object with its `type`."""
    return cast(dict[str, Any], _writer(GrammarSpec)(spec))


def spec_from_plain(value: Any, where: str = "constraint") -> GrammarSpec:
    """The inverse of `spec_to_plain`. Raises: InvalidRequest naming the field below `where`."""
    return cast(GrammarSpec, _reader(GrammarSpec)(value, where, 0))


def event_to_plain(event: Event) -> dict[str, Any]:
    """An event as an object with its `type`: text_delta, fill_finished, request_finished or request_failed."""
    if isinstance(event, RequestFailed):
        return {
            "type": "request_failed",
            "request_id": event.request_id,
            "error": error_to_plain(event.error),
            "sequences": [_writer(SequenceResult)(sequence) for sequence in event.sequences],
        }
    kind: Any = type(event)
    return {"type": _tag(kind), **_writer(kind)(event)}


def event_from_plain(value: Mapping[str, Any], *, request_id: str | None = None) -> Event:
    """The inverse of `event_to_plain`. Raises: InvalidRequest.

    Args:
        request_id: takes the place of the event's own.
    """
    kinds = {_tag(kind): kind for kind in (TextDelta, FillFinished, RequestFinished)}
    tag = value.get("type") if isinstance(value, Mapping) else None
    if request_id is not None and isinstance(value, Mapping):
        value = {**value, "request_id": request_id}
    if tag == "request_failed":
        sequences = tuple(_read(SequenceResult, sequence) for sequence in value.get("sequences", ()))
        return RequestFailed(value["request_id"], error_from_plain(value["error"]), sequences)
    if tag not in kinds:
        raise InvalidRequest(f"must be one of {', '.join([*kinds, 'request_failed'])}, got {tag!r}", field="type")
    return cast(Event, _read(kinds[tag], {name: part for name, part in value.items() if name != "type"}))


# Errors

_ERROR_CLASSES: dict[str, type[SlipformError]] = {
    name: found for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, SlipformError)
}


def error_to_plain(error: SlipformError) -> dict[str, Any]:
    """An error as its class, its message and its attributes."""
    kind = next(base.__name__ for base in type(error).__mro__ if base.__name__ in _ERROR_CLASSES)
    attributes = {name: part for name, part in vars(error).items() if isinstance(part, str | int | float | None)}
    return {"class": kind, "message": str(error), "attributes": attributes}


def error_from_plain(value: Mapping[str, Any]) -> SlipformError:
    """The inverse of `error_to_plain`: same class, message and attributes. A class that is unknown here becomes
    SlipformError."""
    kind = _ERROR_CLASSES.get(str(value.get("class")), SlipformError)
    error = kind.__new__(kind, str(value.get("message")))
    error.args = (str(value.get("message")),)
    for name, part in dict(value.get("attributes") or {}).items():
        setattr(error, name, part)
    return error


# Values by type hint. Writers and readers are built once for each type.


def _read(kind: type[_T], value: Any) -> _T:
    return cast(_T, _reader(cast(Any, kind))(value, "", 0))


@cache
def _writer(hint: Any) -> _Writer:
    options = _union(hint)
    if options is not None:
        classes: list[Any] = [option for option in options if _is_record(option)]
        if not classes:
            return _number if float in options else _as_is
        writers = {option: _writer(option) for option in classes}
        tags = {option: _tag(option) for option in classes}
        if len(classes) == 1:
            return lambda value: None if value is None else writers[type(value)](value)
        return lambda value: None if value is None else {"type": tags[type(value)], **writers[type(value)](value)}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        if arguments[-1] is not Ellipsis:
            parts = [_writer(argument) for argument in arguments]
            return lambda value: [write(part) for write, part in zip(parts, value, strict=True)]
        if arguments[0] in (int, str):
            return list
        write_item = _writer(arguments[0])
        return lambda value: [write_item(item) for item in value]
    if _is_record(hint):
        return _object_writer(hint)
    return _number if hint is float else _as_is


def _object_writer(kind: Any) -> _Writer:
    members: list[tuple[str, Any, _Writer]] = []

    def write(value: Any) -> dict[str, Any]:
        if not members:  # on first use, since classes may hold themselves
            hints = _hints(kind)
            members.extend((name, default, _writer(hints[name])) for name, default in _members(kind).items())
        plain = {}
        for name, default, write_part in members:
            part = getattr(value, name)
            if default is MISSING or part != default:
                plain[name] = write_part(part)
        return plain

    return write


@cache
def _reader(hint: Any) -> _Reader:
    options = _union(hint)
    if options is not None:
        return _union_reader(options)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return lambda value, where, _: value if value in arguments else _refuse(value, where, _listed(arguments))
    if origin is tuple:
        return _tuple_reader(arguments)
    if _is_record(hint):
        return _object_reader(hint)
    return _scalar_reader(hint)


def _union_reader(options: tuple[Any, ...]) -> _Reader:
    classes: list[Any] = [option for option in options if _is_record(option)]
    by_tag = {_tag(option): option for option in classes}
    scalars = [_reader(option) for option in options if option is not types.NoneType and not _is_record(option)]
    may_be_none = types.NoneType in options

    def read(value: Any, where: str, depth: int) -> Any:
        if value is None and may_be_none:
            return None
        if len(classes) > 1:
            tag = value.get("type") if isinstance(value, Mapping) else None
            if not isinstance(tag, str) or tag not in by_tag:
                return _refuse(value, f"{where}.type" if isinstance(value, Mapping) else where, _listed(by_tag))
            rest = {name: part for name, part in value.items() if name != "type"}
            return _reader(by_tag[tag])(rest, where, depth)
        if classes:
            return _reader(classes[0])(value, where, depth)
        for index, read_scalar in enumerate(scalars):
            try:
                return read_scalar(value, where, depth)
            except InvalidRequest:
                if index == len(scalars) - 1:
                    raise
        return _refuse(value, where, "null")

    return read


def _tuple_reader(arguments: tuple[Any, ...]) -> _Reader:
    if arguments[-1] is Ellipsis:
        read_item = _reader(arguments[0])
        plain = types.GenericAlias(tuple, arguments) if arguments[0] in (int, str) else None

        def read_all(value: Any, where: str, depth: int) -> Any:
            if not isinstance(value, list | tuple):
                _refuse(value, where, "a list")
            if plain is not None:  # a prompt has thousands of ids; below it is said which one is wrong
                with suppress(msgspec.ValidationError):
                    return msgspec.convert(value, plain)
            return tuple([read_item(item, f"{where}[{index}]", depth + 1) for index, item in enumerate(value)])

        return read_all
    readers = [_reader(argument) for argument in arguments]

    def read(value: Any, where: str, depth: int) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(readers):
            _refuse(value, where, f"a list of {len(readers)}")
        parts = enumerate(zip(readers, value, strict=True))
        return tuple([read_part(part, f"{where}[{index}]", depth + 1) for index, (read_part, part) in parts])

    return read


def _object_reader(kind: Any) -> _Reader:
    members: dict[str, _Reader] = {}
    required: list[str] = []

    def read(value: Any, where: str, depth: int) -> Any:
        if not members:
            hints = _hints(kind)
            required.extend(name for name, default in _members(kind).items() if default is MISSING)
            members.update({name: _reader(hints[name]) for name in _members(kind)})
        if not isinstance(value, Mapping):
            _refuse(value, where, "an object")
        if depth > MAX_DEPTH:
            raise InvalidRequest(f"is nested more than {MAX_DEPTH} levels deep", field=where or None)
        parts = {}
        for name, part in value.items():
            inner = f"{where}.{name}" if where else str(name)
            if name not in members:
                raise InvalidRequest(f"unknown field; known: {', '.join(members)}", field=inner)
            parts[name] = members[name](part, inner, depth + 1)
        for name in required:
            if name not in parts:
                raise InvalidRequest("is missing", field=f"{where}.{name}" if where else name)
        try:
            return kind(**parts)
        except InvalidRequest as error:
            if not where:
                raise
            message = str(error).removeprefix(f"{error.field}: ")
            raise InvalidRequest(message, field=f"{where}.{error.field}" if error.field else where) from error

    return read


def _scalar_reader(kind: Any) -> _Reader:
    def read(value: Any, where: str, _: int) -> Any:
        if kind is float:
            if value is None:
                return math.nan
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
        elif isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        return _refuse(
            value, where, {str: "text", int: "a whole number", float: "a number", bool: "a truth value"}[kind]
        )

    return read


def _refuse(value: Any, where: str, wanted: str) -> Any:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:60] + "…"
    raise InvalidRequest(f"must be {wanted}, got {shown}", field=where or None)


def _listed(words: Any) -> str:
    return "one of " + ", ".join(map(str, words))


def _as_is(value: Any) -> Any:
    return value


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _union(hint: Any) -> tuple[Any, ...] | None:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else None


def _is_record(kind: Any) -> bool:
    return is_dataclass(kind) or (isinstance(kind, type) and issubclass(kind, msgspec.Struct))


def _members(kind: Any) -> dict[str, Any]:
    """The fields of a class with their defaults, MISSING where there is none."""
    if is_dataclass(kind):
        return {
            field.name: field.default if field.default_factory is MISSING else field.default_factory()
            for field in fields(kind)
        }
    found = msgspec.structs.fields(kind)
    return {field.name: MISSING if field.default is msgspec.NODEFAULT else field.default for field in found}


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, vars(grammar_specs) if kind.__module__ == grammar_specs.__name__ else None)


@cache
def _tag(kind: Any) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()
