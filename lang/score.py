"""What a model thinks of given texts, outside of a program."""

from collections.abc import Sequence

from slipform.lang.arguments import checked
from slipform.lang.config import resolve_backend
from slipform.lang.distribution import Distribution
from slipform.lang.ids import RequestIds
from slipform.lang.interpreter import Interpreter
from slipform.lang.options import SamplingOptions
from slipform.lang.session import Session
from slipform.lang.state import ProgramState


@checked()
def score(prompt: object, choices: str | Sequence[str], *, backend: object | None = None) -> Distribution:
    """How likely a model finds each of `choices` behind `prompt`; nothing is written.

    All choices are read in one batch that shares the prompt. Inside a program write `s.score(choices)`.

    Args:
        prompt: text, or messages (`sf.user(…) + sf.assistant_begin()`). choices: texts; a single one has probability 1
            and its log-probability in `logprobs`.

    Raises: ArgumentError for choices that are not texts, empty or repeated; FillError for what goes wrong on the way.
    """
    session = Session(resolve_backend(backend), "score", ids=RequestIds("score"))
    state = ProgramState(Interpreter(session, SamplingOptions()))
    state += prompt
    return state.score(choices)
