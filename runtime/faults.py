"""The border at which anything that goes wrong in one request becomes that request's error, and nobody else's."""

from slipform.errors import SlipformError


def as_slipform_error(error: BaseException) -> SlipformError:
    """The error itself if it is one of ours; else one that wraps it (`__cause__`): a defect, worth a report."""
    if isinstance(error, SlipformError):
        return error
    wrapped = SlipformError(f"internal error: {type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped
