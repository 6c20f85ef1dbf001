"""What a backend or a constraint raised, as the error of the user's program that it is."""

from slipform.errors import (
    BackendUnreachable,
    BudgetError,
    BudgetTooSmall,
    CapacityError,
    ConstraintError,
    DeadlineExceeded,
    EmptyConstraint,
    EmptyGrammar,
    EngineStopped,
    FillError,
    GrammarError,
    SlipformError,
    UnenforceableConstraint,
    UnsupportedField,
    UnsupportedGrammar,
)


def as_fill_error(error: SlipformError, *, program: str, primitive: str, where: str = "") -> FillError:
    """An error that names the program, the primitive and the line `where`; raise it from `error`."""
    message = f"{type(error).__name__}: {error}" + (f" ({where})" if where else "")
    return _kind(error)(message, program=program, primitive=primitive)


def _kind(error: SlipformError) -> type[FillError]:
    match error:
        case BudgetTooSmall():
            return BudgetError
        case EmptyGrammar():
            return EmptyConstraint
        case UnsupportedGrammar() | UnsupportedField():
            return UnenforceableConstraint
        case GrammarError():
            return ConstraintError
        case _:
            return FillError


_PASSING = (BackendUnreachable, CapacityError, DeadlineExceeded, EngineStopped, ConnectionError, TimeoutError)


def is_transient(error: BaseException) -> bool:
    """Whether what failed may succeed later: no room, a deadline, an engine or a server that is away for a while.

    A program's requests set no deadline of their own, so that one which passed is the server's, for the load it had.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _PASSING):
            return True
        cause = cause.__cause__
    return False
