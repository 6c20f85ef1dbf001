"""Messages of a chat as expressions: whole ones, and the marks that open and close one."""

from typing import Final

from slipform.errors import ArgumentError
from slipform.lang import ir
from slipform.lang.arguments import checked


class _Open:
    def __repr__(self) -> str:
        return "…"


OPEN: Final = _Open()
"""No content: the message is opened, and closed later."""


def check_content(role: str, expr: object) -> None:
    """Raises: ArgumentError for None, which is no message: mostly a value that was not there."""
    if expr is None:
        raise ArgumentError(f"None is no text{ir.at(ir.caller_origin())}", primitive=role)


@checked()
def system(expr: object = OPEN) -> ir.Expr:
    """A system message."""
    return _message("system", expr)


@checked()
def user(expr: object = OPEN) -> ir.Expr:
    """A user message."""
    return _message("user", expr)


@checked()
def assistant(expr: object = OPEN) -> ir.Expr:
    """An assistant message; `sf.assistant(sf.gen("answer"))` lets the model write it."""
    return _message("assistant", expr)


def _message(role: str, expr: object) -> ir.Expr:
    if expr is OPEN:
        return ir.RoleBegin(role, ir.caller_origin())
    check_content(role, expr)
    origin = ir.caller_origin()
    return ir.concat(ir.RoleBegin(role, origin), expr, ir.RoleEnd(role, origin))


@checked()
def system_begin() -> ir.Expr:
    """Opens a system message; `system_end()` closes it."""
    return ir.RoleBegin("system", ir.caller_origin())


@checked()
def system_end() -> ir.Expr:
    """Closes the message that `system_begin()` opened."""
    return ir.RoleEnd("system", ir.caller_origin())


@checked()
def user_begin() -> ir.Expr:
    """Opens a user message; `user_end()` closes it."""
    return ir.RoleBegin("user", ir.caller_origin())


@checked()
def user_end() -> ir.Expr:
    """Closes the message that `user_begin()` opened."""
    return ir.RoleEnd("user", ir.caller_origin())


@checked()
def assistant_begin() -> ir.Expr:
    """Opens an assistant message; `assistant_end()` closes it."""
    return ir.RoleBegin("assistant", ir.caller_origin())


@checked()
def assistant_end() -> ir.Expr:
    """Closes the message that `assistant_begin()` opened."""
    return ir.RoleEnd("assistant", ir.caller_origin())
