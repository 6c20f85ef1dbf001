"""Typed values while they are written: partial objects, and events for the parts that are finished."""

import collections.abc
import dataclasses
import functools
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError

from slipform.lang.json_events import Completed, JsonEvents, OpenContainer, Path

_UNKNOWN: Any = object()


@dataclass(frozen=True, slots=True)
class Partial:
    """A typed value as far as it has been written.

    Attributes:
        value: finished parts validated, as their types; an open Pydantic model is an instance that lacks the fields
            that are not finished, any other open object a dict, an open array a list; None before anything is finished.
        completed: the parts that were finished since the last partial, inner ones first.
        path: where writing goes on. text: what has arrived of the text at `path`, or "".
        done: the value is complete and `value` is what `s[name]` gives.
    """

    value: Any
    completed: tuple[Completed, ...]
    path: Path
    text: str
    done: bool


class PartialReader:
    """Makes partials out of the text of one hole.

    Args:
        kind: the Python type of the value, or None for plain values of a JSON Schema.
    """

    def __init__(self, kind: Any = None) -> None:
        self._kind = _UNKNOWN if kind is None else kind
        self._events = JsonEvents(self._finish)
        self._kinds: dict[Path, Any] = {(): self._kind}

    def feed(self, text: str, *, is_last: bool = False) -> Partial:
        """Read more. Raises: ValueError naming the path of a part that its type refuses."""
        completed = self._events.feed(text)
        if is_last:
            completed += self._events.close()
        events = self._events
        if events.is_done:
            return Partial(events.value, tuple(completed), (), "", True)
        return Partial(self._snapshot(), tuple(completed), events.path, events.open_text, False)

    def _kind_at(self, path: Path) -> Any:
        kind = self._kinds.get(path)
        if kind is None:
            kind = self._kinds[path] = child_kind(self._kind_at(path[:-1]), path[-1])
        return kind

    def _finish(self, path: Path, plain: Any) -> Any:
        kind = self._kind_at(path)
        if path:
            del self._kinds[path]
        if kind is _UNKNOWN:
            return plain
        try:
            return _adapter(kind).validate_python(plain)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, (*path, *first["loc"]))) or "value"
            raise ValueError(f"{where}: {first['msg']}") from error

    def _snapshot(self) -> Any:
        """The open containers as values, innermost first; their finished members are shared."""
        inner: Any = _UNKNOWN
        stack = self._events.stack
        for depth in range(len(stack) - 1, -1, -1):
            inner = self._open_value(stack[depth], self._path_of(depth), inner)
        return None if inner is _UNKNOWN else inner

    def _path_of(self, depth: int) -> Path:
        places = [container.place for container in self._events.stack[:depth]]
        return tuple(place for place in places if place is not None)

    def _open_value(self, container: OpenContainer, path: Path, inner: Any) -> Any:
        if not container.is_object:
            return [*container.items, *(() if inner is _UNKNOWN else (inner,))]
        members = dict(container.members)
        if inner is not _UNKNOWN and container.key is not None:
            members[container.key] = inner
        model = _model_of(self._kind_at(path))
        return members if model is None else model.model_construct(**_by_field(model, members))


def child_kind(kind: Any, place: str | int) -> Any:
    """The type of a member or item of a type, or _UNKNOWN where several are possible or nothing is known."""
    kind = _single(kind)
    if isinstance(kind, type) and issubclass(kind, RootModel):
        return child_kind(kind.model_fields["root"].annotation, place)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {_key_of(name, info): info for name, info in kind.model_fields.items()}
        info = fields.get(str(place))
        if info is None:
            return _UNKNOWN
        return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    if dataclasses.is_dataclass(kind) or is_typeddict(kind):
        return get_type_hints(kind, include_extras=True).get(str(place), _UNKNOWN)
    origin, args = get_origin(kind), get_args(kind)
    if origin is tuple and isinstance(place, int):
        if len(args) == 2 and args[1] is Ellipsis:
            return args[0]
        return args[place] if place < len(args) else _UNKNOWN
    if isinstance(origin, type) and issubclass(origin, collections.abc.Mapping):
        return args[1]
    if isinstance(origin, type) and issubclass(origin, collections.abc.Collection) and args and isinstance(place, int):
        return args[0]
    return _UNKNOWN


def _single(kind: Any) -> Any:
    """A type without Annotated, and the one member of a union that is not None."""
    while True:
        origin = get_origin(kind)
        if origin is Annotated:
            kind = get_args(kind)[0]
        elif origin is Union or origin is types.UnionType:
            members = [member for member in get_args(kind) if member is not type(None)]
            if len(members) != 1:
                return _UNKNOWN
            kind = members[0]
        else:
            return kind


def _model_of(kind: Any) -> type[BaseModel] | None:
    kind = _single(kind)
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, RootModel)
    return kind if is_model else None


def _by_field(model: type[BaseModel], members: Mapping[str, Any]) -> dict[str, Any]:
    names = {_key_of(name, info): name for name, info in model.model_fields.items()}
    return {names.get(key, key): value for key, value in members.items()}


def _key_of(name: str, info: Any) -> str:
    """The key under which a field stands in JSON."""
    alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
    return alias or name


def _adapter(kind: Any) -> "TypeAdapter[Any]":
    try:
        return _cached_adapter(kind)
    except TypeError:  # a type whose metadata has no hash
        return TypeAdapter(kind)


@functools.lru_cache(maxsize=512)
def _cached_adapter(kind: Any) -> "TypeAdapter[Any]":
    return TypeAdapter(kind)
