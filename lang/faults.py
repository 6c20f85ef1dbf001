"""What a backend or a constraint raised, as the error of the user's program that it is."""

from slipform.errors import (
    BudgetError,
    BudgetTooSmall,
    ConstraintError,
    EmptyConstraint,
    EmptyGrammar,
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
