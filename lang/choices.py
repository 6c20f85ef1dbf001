"""How `select` decides between options whose tokens the model has scored.

The three rules are SGLang's. Each looks at the log-probabilities of an option's tokens, given the text before; they
differ in how options of different length are compared.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slipform.errors import ArgumentError, ProgramError

TOKEN_LENGTH_NORMALIZED = "token_length_normalized"
GREEDY_TOKEN_SELECTION = "greedy_token_selection"
UNCONDITIONAL_LIKELIHOOD_NORMALIZED = "unconditional_likelihood_normalized"
MASKED_DECODING = "masked_decoding"

METHODS = (
    TOKEN_LENGTH_NORMALIZED,
    GREEDY_TOKEN_SELECTION,
    UNCONDITIONAL_LIKELIHOOD_NORMALIZED,
    MASKED_DECODING,
)


@dataclass(frozen=True, slots=True)
class OptionScore:
    """One option as the model reads it.

    Attributes:
        token_ids, logprobs: the option's tokens and their log-probabilities after the text before (natural log). Where
            the option's first characters share a token with that text, all options count from the last common token.
        unconditional: log-probabilities of the same tokens with nothing before them (the first is 0), or empty.
    """

    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    unconditional: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Which option won, and by how much.

    Attributes:
        index: the winner. scores: what the rule compared, one number an option.
        probabilities: the chance of each option if the model had to write one of them: softmax of the options' summed
            log-probabilities. It sums to 1 and does not depend on the rule.
        matrix: for `greedy_token_selection`, one row an option, one column a token; otherwise empty.
    """

    index: int
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    matrix: tuple[tuple[float, ...], ...] = ()

    @property
    def entropy(self) -> float:
        """Of `probabilities`, in nats: 0 when the model is sure."""
        return -sum(p * math.log(p) for p in self.probabilities if p > 0.0)

    @property
    def margin(self) -> float:
        """Distance between the two largest probabilities; 1 with a single option."""
        ranked = sorted(self.probabilities, reverse=True)
        return ranked[0] - (ranked[1] if len(ranked) > 1 else 0.0)


def check_choices(choices: object, *, primitive: str, where: str = "") -> tuple[str, ...]:
    """The choices as a tuple. Raises: ArgumentError if they are no list of texts, or empty, or not all different."""
    if isinstance(choices, str) or not isinstance(choices, Iterable):
        raise ArgumentError(f"choices={choices!r} is no list of texts{where}", primitive=primitive)
    texts = tuple(choices)
    if not all(isinstance(choice, str) for choice in texts):
        raise ArgumentError(f"choices={choices!r} is no list of texts{where}", primitive=primitive)
    if not texts or "" in texts or len(set(texts)) != len(texts):
        raise ArgumentError(
            f"choices={list(texts)!r} must be texts that are not empty and differ{where}", primitive=primitive
        )
    return texts


def check_method(method: object) -> str:
    """The name of a rule; accepts a rule by name or an object whose class or `name` bears it.

    Raises: ProgramError listing the known rules.
    """
    name = method if isinstance(method, str) else getattr(method, "name", None)
    if name not in METHODS:
        raise ProgramError(f"unknown choices_method {method!r}; known: {', '.join(METHODS)}", primitive="select")
    return str(name)


def decide(method: str, options: Sequence[OptionScore]) -> Decision:
    """Apply the rule `method` to the scored options; ties go to the first."""
    probabilities = softmax([sum(option.logprobs) for option in options])
    if method == GREEDY_TOKEN_SELECTION:
        matrix = _padded(options)
        index = _greedy(matrix, [option.token_ids for option in options])
        return Decision(index, tuple(_mean(option.logprobs) for option in options), probabilities, matrix)
    if method == UNCONDITIONAL_LIKELIHOOD_NORMALIZED:
        scores = tuple(
            _mean([given - alone for given, alone in zip(option.logprobs, option.unconditional, strict=True)])
            for option in options
        )
    else:
        scores = tuple(_mean(option.logprobs) for option in options)
    return Decision(max(range(len(scores)), key=scores.__getitem__), scores, probabilities)


def softmax(values: Sequence[float]) -> tuple[float, ...]:
    top = max(values)
    if top == -math.inf:
        return tuple(1.0 / len(values) for _ in values)
    weights = [math.exp(value - top) for value in values]
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _padded(options: Sequence[OptionScore]) -> tuple[tuple[float, ...], ...]:
    """Rows of equal length; a short option goes on with its mean, so that it can stand beside its own extensions."""
    width = max(len(option.logprobs) for option in options)
    return tuple((*option.logprobs, *([_mean(option.logprobs)] * (width - len(option.logprobs)))) for option in options)


def _greedy(matrix: Sequence[Sequence[float]], token_ids: Sequence[tuple[int, ...]]) -> int:
    """Column by column, keep the rows whose entry is the best.

    Rows that have shared all tokens so far stay together even where rounding in different batches tells them apart.
    """
    remaining = list(range(len(matrix)))
    for column in range(len(matrix[0])):
        best = max(remaining, key=lambda row: matrix[row][column])
        shared = token_ids[best][: column + 1]
        remaining = [
            row
            for row in remaining
            if matrix[row][column] == matrix[best][column]
            or (len(shared) == column + 1 and token_ids[row][: column + 1] == shared)
        ]
        if len(remaining) == 1:
            break
    return remaining[0]
