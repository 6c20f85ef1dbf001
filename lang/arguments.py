"""Calls with arguments that a primitive or a program does not take, as errors that suggest the nearest known name."""

import functools
import inspect
import reprlib
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

from slipform.errors import ArgumentError
from slipform.lang.origin import Origin, at, caller_origin

P = ParamSpec("P")
R = TypeVar("R")


def checked(
    *,
    options: Collection[str] = (),
    primitive: str | None = None,
    elsewhere: Mapping[str, str] = MappingProxyType({}),
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a primitive: a call that its signature does not allow raises ArgumentError instead of a bare TypeError.

    Args:
        options: the keywords that a primitive with `**options` takes beside its own parameters.
        primitive: how errors call it; its own name where not given.
        elsewhere: names under which other libraries know a parameter, and its name here.
    """

    def decorate(func: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(func)
        own = [name for name, parameter in signature.parameters.items() if parameter.kind is not parameter.VAR_KEYWORD]
        known = frozenset((*own, *options))

        def wrong(args: Sequence[Any], kwargs: Mapping[str, Any], message: str) -> ArgumentError:
            name = dict(zip(own, args, strict=False)).get("name", kwargs.get("name"))
            title = primitive or func.__name__
            called = f"{title}({name!r})" if name is not None else title
            return ArgumentError(f"{message}{at(caller_origin())}", primitive=called)

        @functools.wraps(func)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            unknown = next((name for name in kwargs if name not in known), None)
            if unknown is not None:
                raise wrong(args, kwargs, unknown_keyword(unknown, known, elsewhere))
            try:
                return func(*args, **kwargs)
            except ArgumentError:
                raise
            except TypeError:
                message = misfit(signature, args, kwargs)
                if message is None:  # not about this call: something inside raised it
                    raise
                raise wrong(args, kwargs, message) from None

        return call

    return decorate


def check_name(name: object, *, primitive: str, origin: Origin | None) -> None:
    """Raises: ArgumentError for what cannot name a variable."""
    if name is not None and not isinstance(name, str):
        shown = getattr(name, "__name__", None) or reprlib.repr(name)
        raise ArgumentError(
            f"name={shown} is no text; the name of the variable comes first{at(origin)}", primitive=primitive
        )


def misfit(
    signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any], *, options: Collection[str] = ()
) -> str | None:
    """What is wrong with a call, or None; `options` are keywords that count as known without being of the signature."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        parameters = signature.parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            unknown = next((name for name in kwargs if name not in parameters), None)
            if unknown is not None:
                hint = unknown_keyword(unknown, {*parameters, *options})
                return hint if str(error).startswith("got an unexpected") else f"{error}; {hint}"
        return str(error)
    return None


def unknown_keyword(name: str, known: Collection[str], elsewhere: Mapping[str, str] = MappingProxyType({})) -> str:
    """What an error says of keyword `name`, which is none of `known`; `elsewhere` as in `checked`."""
    names = sorted(set(known) - {"self", "s"})
    near = [elsewhere[name]] if name in elsewhere else get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names) or 'none'}"
    return f"got an unexpected keyword argument {name!r}; {hint}"
