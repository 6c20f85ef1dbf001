"""Typed values while they are written: partial objects, and events for the parts that are finished."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, RootModel, ValidationError

from slipform.lang.json_events import Completed, JsonEvents, Path
from slipform.lang.partial_kinds import UNKNOWN, adapter, child_kind, key_of, one_kind, single


@dataclass(frozen=True, slots=True)
class Partial:
    """A typed value as far as it has been written.

    Attributes:
        value: finished parts validated, as their types; an open Pydantic model is an instance that lacks the fields
            that are not finished, any other open object a dict, an open array a list; None before anything is finished.
            An open member of a union is of the type that what is written of it decides, and plain before that.
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
        self._kind = UNKNOWN if kind is None else kind
        self._events = JsonEvents(self._finish)

    @property
    def is_done(self) -> bool:
        """Whether the value is complete."""
        return self._events.is_done

    def feed(self, text: str, *, is_last: bool = False) -> Partial:
        """Read more. Raises: ValueError naming the path of a part that its type refuses."""
        completed = self._events.feed(text)
        if is_last:
            completed += self._events.close()
        events = self._events
        if events.is_done:
            return Partial(events.value, tuple(completed), (), "", True)
        return Partial(self._snapshot(), tuple(completed), events.path, events.open_text, False)

    def _kind_of(self, depth: int) -> Any:
        """The type of the open container at `depth`: of a union the only member that fits what is in it, once there is
        only one."""
        container = self._events.stack[depth]
        if container.kind is None:
            kind = one_kind(self._declared(depth), container)
            if kind is UNKNOWN:
                return UNKNOWN
            container.kind = kind
            # What was finished before the type was known is plain.
            container.members = {key: _typed(child_kind(kind, key), value) for key, value in container.members.items()}
            container.items = [_typed(child_kind(kind, index), value) for index, value in enumerate(container.items)]
        return container.kind

    def _declared(self, depth: int) -> Any:
        """The type that the part at `depth` has by its parent's; the part need not be open."""
        if depth == 0:
            return self._kind
        place = self._events.stack[depth - 1].place
        return UNKNOWN if place is None else child_kind(self._kind_of(depth - 1), place)

    def _finish(self, path: Path, plain: Any) -> Any:
        kind = self._declared(len(self._events.stack))
        if kind is UNKNOWN:
            return plain
        try:
            return adapter(kind).validate_python(plain)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, (*path, *first["loc"]))) or "value"
            raise ValueError(f"{where}: {first['msg']}") from error

    def _snapshot(self) -> Any:
        """The open containers as values, innermost first; their finished members are shared."""
        inner: Any = UNKNOWN
        for depth in range(len(self._events.stack) - 1, -1, -1):
            inner = self._open_value(depth, inner)
        return None if inner is UNKNOWN else inner

    def _open_value(self, depth: int, inner: Any) -> Any:
        container = self._events.stack[depth]
        kind = self._kind_of(depth)
        if not container.is_object:
            return [*container.items, *(() if inner is UNKNOWN else (inner,))]
        members = dict(container.members)
        if inner is not UNKNOWN and container.key is not None:
            members[container.key] = inner
        model = _model_of(kind)
        return members if model is None else model.model_construct(**_by_field(model, members))


def _typed(kind: Any, value: Any) -> Any:
    return value if kind is UNKNOWN else adapter(kind).validate_python(value)


def _model_of(kind: Any) -> type[BaseModel] | None:
    kind = single(kind)
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, RootModel)
    return kind if is_model else None


def _by_field(model: type[BaseModel], members: Mapping[str, Any]) -> dict[str, Any]:
    names = {key_of(name, info): name for name, info in model.model_fields.items()}
    return {names.get(key, key): value for key, value in members.items()}
