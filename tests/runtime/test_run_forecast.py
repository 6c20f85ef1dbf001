"""When it pays to commit a step before the next one is launched."""

import pytest

from slipform.runtime.run_forecast import RunForecast, Visits

NEVER, ALWAYS, HALF = Visits(10, 0), Visits(10, 10), Visits(10, 5)
ENDS, MAY_END = Visits(10, 0, 10), Visits(10, 0, 5)


def forecast(step_s: float, host_s: float) -> RunForecast:
    made = RunForecast()
    for number in range(4):
        made.note_step(number * step_s, (number + 1) * step_s, host_s)
    return made


@pytest.mark.parametrize(
    ("step_s", "host_s", "visits", "pays"),
    [
        (6.0, 1.0, [ALWAYS], True),
        (6.0, 1.0, [NEVER], False),
        (6.0, 1.0, [None], False),
        (6.0, 1.0, [Visits()], False),
        (1.0, 2.0, [ALWAYS], False),
        (6.0, 2.0, [HALF], True),
        (6.0, 4.0, [HALF], False),
        (6.0, 1.0, [ALWAYS, NEVER, None, NEVER], True),
        (6.0, 2.0, [ALWAYS, NEVER, None, NEVER], False),
        (6.0, 1.0, [], False),
        (6.0, 1.0, [ENDS], True),
        (6.0, 2.0, [MAY_END], True),
        (6.0, 4.0, [MAY_END], False),
        (6.0, 1.0, [ENDS, ENDS], True),
        (6.0, 1.0, [ENDS, NEVER], False),
        (6.0, 1.0, [ENDS, None], False),
        (6.0, 1.0, [ENDS, Visits()], False),
    ],
)
def test_waits_where_needless_passes_cost_more_than_the_host(
    step_s: float, host_s: float, visits: list[Visits | None], pays: bool
) -> None:
    assert forecast(step_s, host_s).pays_to_wait(visits) is pays


def test_knows_nothing_at_first() -> None:
    assert not RunForecast().pays_to_wait([ALWAYS])


def test_steps_behind_one_that_nobody_waited_for_are_not_timed() -> None:
    made = forecast(1.0, 2.0)
    for number in range(100):
        made.skip_step()
        made.note_step(10.0 * number, 10.0 * number + 1000.0, 2.0)
    assert not made.pays_to_wait([ALWAYS])
