"""The rules of `select` on log-probabilities written by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipform.errors import ProgramError
from slipform.lang.choices import (
    GREEDY_TOKEN_SELECTION,
    MASKED_DECODING,
    METHODS,
    TOKEN_LENGTH_NORMALIZED,
    UNCONDITIONAL_LIKELIHOOD_NORMALIZED,
    OptionScore,
    check_method,
    decide,
)

# "organ" and "organism" share their first token; the mean favours the long one, the first token the other family.
ORGAN = OptionScore((1, 2), (-0.2, -0.9), (0.0, -0.8))
ORGANISM = OptionScore((1, 2, 3), (-0.2, -0.9, -0.1), (0.0, -0.8, -0.05))
TREE = OptionScore((9,), (-0.35,), (0.0,))


def test_the_mean_of_the_token_logprobs() -> None:
    decision = decide(TOKEN_LENGTH_NORMALIZED, [ORGAN, ORGANISM, TREE])
    assert decision.index == 2
    assert decision.scores == pytest.approx((-0.55, -0.4, -0.35))


def test_token_by_token() -> None:
    decision = decide(GREEDY_TOKEN_SELECTION, [TREE, ORGAN, ORGANISM])
    # -0.2 beats -0.35 in the first place; "organ" goes on with its mean, -0.55, and loses to -0.1.
    assert decision.index == 2
    assert decision.matrix[1] == pytest.approx((-0.2, -0.9, -0.55))
    assert decision.matrix[0] == pytest.approx((-0.35, -0.35, -0.35))


def test_a_short_option_can_win_against_its_extension() -> None:
    longer = OptionScore((1, 2, 3), (-0.2, -0.9, -3.0))
    assert decide(GREEDY_TOKEN_SELECTION, [longer, ORGAN]).index == 1


def test_rounding_does_not_part_options_that_share_their_tokens() -> None:
    one = OptionScore((1, 5), (-0.2, -2.0))
    other = OptionScore((1, 6), (-0.2000001, -0.1))
    assert decide(GREEDY_TOKEN_SELECTION, [one, other]).index == 1


def test_against_what_the_options_are_worth_alone() -> None:
    common = OptionScore((1, 2), (-0.5, -0.5), (0.0, -0.5))
    rare = OptionScore((3, 4), (-0.6, -0.6), (0.0, -5.0))
    assert decide(TOKEN_LENGTH_NORMALIZED, [common, rare]).index == 0
    decision = decide(UNCONDITIONAL_LIKELIHOOD_NORMALIZED, [common, rare])
    assert decision.index == 1
    assert decision.scores == pytest.approx((-0.25, 1.9))


def test_ties_go_to_the_first() -> None:
    same = OptionScore((1,), (-1.0,), (0.0,))
    for method in (TOKEN_LENGTH_NORMALIZED, UNCONDITIONAL_LIKELIHOOD_NORMALIZED):
        assert decide(method, [same, same]).index == 0
    assert decide(GREEDY_TOKEN_SELECTION, [same, OptionScore((2,), (-1.0,))]).index == 0


def test_the_distribution_is_the_models() -> None:
    half, quarter = OptionScore((1,), (math.log(0.5),)), OptionScore((2, 3), (math.log(0.5), math.log(0.5)))
    decision = decide(TOKEN_LENGTH_NORMALIZED, [half, quarter])
    assert decision.probabilities == pytest.approx((2 / 3, 1 / 3))
    assert decision.margin == pytest.approx(1 / 3)
    assert decision.entropy == pytest.approx(-(2 / 3) * math.log(2 / 3) - (1 / 3) * math.log(1 / 3))


def test_one_option() -> None:
    decision = decide(TOKEN_LENGTH_NORMALIZED, [TREE])
    assert (decision.index, decision.probabilities, decision.margin, decision.entropy) == (0, (1.0,), 1.0, 0.0)


def test_impossible_options() -> None:
    never = OptionScore((1,), (-math.inf,))
    assert decide(TOKEN_LENGTH_NORMALIZED, [never, never]).probabilities == (0.5, 0.5)
    assert decide(TOKEN_LENGTH_NORMALIZED, [never, TREE]).probabilities == (0.0, 1.0)


@given(
    st.lists(
        st.lists(st.floats(-50, 0), min_size=1, max_size=6).map(
            lambda values: OptionScore(tuple(range(len(values))), tuple(values), tuple(values))
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([TOKEN_LENGTH_NORMALIZED, GREEDY_TOKEN_SELECTION, UNCONDITIONAL_LIKELIHOOD_NORMALIZED]),
)
def test_distributions_are_distributions(options: list[OptionScore], method: str) -> None:
    decision = decide(method, options)
    assert sum(decision.probabilities) == pytest.approx(1.0)
    assert 0 <= decision.index < len(options)
    assert 0.0 <= decision.margin <= 1.0 + 1e-9
    assert -1e-9 <= decision.entropy <= math.log(len(options)) + 1e-9


def test_method_names() -> None:
    assert METHODS[-1] == MASKED_DECODING
    for method in METHODS:
        assert check_method(method) == method

    class Named:
        name = TOKEN_LENGTH_NORMALIZED

    assert check_method(Named()) == TOKEN_LENGTH_NORMALIZED
    with pytest.raises(ProgramError, match="known: token_length_normalized, "):
        check_method("mean")
