"""Types of values that are being written: of their members and items, and which of a union's types it is."""

import collections.abc
import dataclasses
import functools
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError

from slipform.lang.json_events import OpenContainer

UNKNOWN: Any = object()
"""The type of which nothing is known."""


def one_kind(kind: Any, container: OpenContainer) -> Any:
    """The type of an open container, of a union the only member that it can still become, or UNKNOWN."""
    members = [member for member in _members(kind) if member is not type(None)]
    if len(members) > 1:
        members = [member for member in members if _may_become(member, container)]
    return members[0] if len(members) == 1 else UNKNOWN


def _members(kind: Any) -> Iterator[Any]:
    """The types of a union, of unions in it too; any other type is its own only one."""
    if kind is UNKNOWN:
        return
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _members(get_args(kind)[0])
    elif origin is Union or origin is types.UnionType:
        for member in get_args(kind):
            yield from _members(member)
    else:
        yield kind


def _may_become(kind: Any, container: OpenContainer) -> bool:
    """Whether an object or array that begins like this can be of a type."""
    if isinstance(kind, type) and issubclass(kind, RootModel):
        return any(_may_become(member, container) for member in _members(kind.model_fields["root"].annotation))
    if kind is Any or kind is object:
        return True
    if not container.is_object:
        origin = get_origin(kind) or kind
        is_array = isinstance(origin, type) and issubclass(origin, collections.abc.Collection) and origin is not str
        if not is_array or issubclass(origin, collections.abc.Mapping):
            return False
        return not container.items or _accepts(child_kind(kind, 0), container.items[0])
    if not _is_object(kind):
        return False
    keys = [*container.members, *([container.key] if container.key is not None else [])]
    if not _is_open(kind) and any(child_kind(kind, key) is UNKNOWN for key in keys):
        return False
    return all(_accepts(child_kind(kind, key), value) for key, value in container.members.items())


def _is_object(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    is_mapping = isinstance(origin, type) and issubclass(origin, collections.abc.Mapping)
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    return is_mapping or is_model or dataclasses.is_dataclass(kind) or is_typeddict(kind)


def _is_open(kind: Any) -> bool:
    """Whether an object of this type may have keys that it does not name."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_config.get("extra") == "allow"
    return False


def _accepts(kind: Any, value: Any) -> bool:
    if kind is UNKNOWN:
        return True
    try:
        adapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def child_kind(kind: Any, place: str | int) -> Any:
    """The type of a member or item of a type, or UNKNOWN where several are possible or nothing is known."""
    kind = single(kind)
    if isinstance(kind, type) and issubclass(kind, RootModel):
        return child_kind(kind.model_fields["root"].annotation, place)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {key_of(name, info): info for name, info in kind.model_fields.items()}
        info = fields.get(str(place))
        if info is None:
            return UNKNOWN
        return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    if dataclasses.is_dataclass(kind) or is_typeddict(kind):
        return get_type_hints(kind, include_extras=True).get(str(place), UNKNOWN)
    origin, args = get_origin(kind), get_args(kind)
    if origin is tuple and isinstance(place, int):
        if len(args) == 2 and args[1] is Ellipsis:
            return args[0]
        return args[place] if place < len(args) else UNKNOWN
    if isinstance(origin, type) and issubclass(origin, collections.abc.Mapping):
        return args[1]
    if isinstance(origin, type) and issubclass(origin, collections.abc.Collection) and args and isinstance(place, int):
        return args[0]
    return UNKNOWN


def single(kind: Any) -> Any:
    """A type without Annotated, and the one member of a union that is not None."""
    while True:
        origin = get_origin(kind)
        if origin is Annotated:
            kind = get_args(kind)[0]
        elif origin is Union or origin is types.UnionType:
            members = [member for member in get_args(kind) if member is not type(None)]
            if len(members) != 1:
                return UNKNOWN
            kind = members[0]
        else:
            return kind


def key_of(name: str, info: Any) -> str:
    """The key under which a field stands in JSON."""
    alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
    return alias or name


def adapter(kind: Any) -> "TypeAdapter[Any]":
    try:
        return _cached_adapter(kind)
    except TypeError:  # a type whose metadata has no hash
        return TypeAdapter(kind)


@functools.lru_cache(maxsize=512)
def _cached_adapter(kind: Any) -> "TypeAdapter[Any]":
    return TypeAdapter(kind)
