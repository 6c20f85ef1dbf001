"""Messages of a chat as expressions: whole ones, and the marks that open and close one."""

from slipform.lang import ir
from slipform.lang.arguments import checked


@checked()
def system(expr: object | None = None) -> ir.Expr:
    """A system message."""
    return _message("system", expr)


@checked()
def user(expr: object | None = None) -> ir.Expr:
    """A user message."""
    return _message("user", expr)


@checked()
def assistant(expr: object | None = None) -> ir.Expr:
    """An assistant message; `sf.assistant(sf.gen("answer"))` lets the model write it."""
    return _message("assistant", expr)


def _message(role: str, expr: object | None) -> ir.Expr:
    if expr is None:
        return ir.RoleBegin(role, ir.caller_origin())
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
