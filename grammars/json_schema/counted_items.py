"""`contains` with its bounds over the items of an array: the states of counting, and which of them reach the end."""

from collections.abc import Callable
from typing import Final

from slipform.errors import UnsupportedGrammar
from slipform.grammars.json_schema.arrays import ArrayPlan
from slipform.grammars.json_schema.shapes import Goal

Counts = tuple[int, tuple[int, ...]]
"""How many items there are, and how many of them count for each contains; both as far as they still matter."""

MAX_STATES: Final = 2_000


class CountedItems:
    """The counts of the arrays of `plan`."""

    def __init__(self, plan: ArrayPlan, productive: Callable[[Goal], bool]) -> None:
        """Raises: UnsupportedGrammar if there are more than `MAX_STATES` counts."""
        self.plan = plan
        self.start: Counts = (0, (0,) * len(plan.contains))
        self._limit = max(plan.horizon, plan.min, (plan.max or 0) + 1)
        tops = [contains.min if contains.max is None else contains.max for contains in plan.contains]
        size = self._limit + 1
        for top in tops:
            size *= top + 1
        if size > MAX_STATES:
            raise UnsupportedGrammar("contains", path=plan.path, reason=f"it takes more than {MAX_STATES} counts")
        self._cases = [
            [(counted, goal) for counted, goal in plan.cases(index) if productive(goal)]
            for index in range(plan.horizon + 1)
        ]
        self._alive = self._alive_states()

    @property
    def is_empty(self) -> bool:
        """Whether no array has such counts."""
        return self.start not in self._alive

    def may_end(self, state: Counts) -> bool:
        """Whether an array may end here."""
        index, counts = state
        enough = all(count >= contains.min for count, contains in zip(counts, self.plan.contains, strict=True))
        return enough and index >= self.plan.min

    def steps(self, state: Counts) -> list[tuple[Counts, Goal]]:
        """The states that one more item leads to, with the goal of that item; only those with a way to the end."""
        return [(after, goal) for after, goal in self._followers(state) if after in self._alive]

    def _followers(self, state: Counts) -> list[tuple[Counts, Goal]]:
        index, counts = state
        plan = self.plan
        if plan.max is not None and index >= plan.max:
            return []
        result = []
        for counted, goal in self._cases[min(index, plan.horizon)]:
            after = tuple(
                min(count + found, contains.min) if contains.max is None else count + found
                for count, found, contains in zip(counts, counted, plan.contains, strict=True)
            )
            if not any(c.max is not None and count > c.max for count, c in zip(after, plan.contains, strict=True)):
                result.append(((min(index + 1, self._limit), after), goal))
        return result

    def _alive_states(self) -> set[Counts]:
        """The reachable states from which an end is reached."""
        before: dict[Counts, list[Counts]] = {self.start: []}
        todo = [self.start]
        while todo:
            state = todo.pop()
            for after, _ in self._followers(state):
                if after not in before:
                    before[after] = []
                    todo.append(after)
                before[after].append(state)
        alive = {state for state in before if self.may_end(state)}
        todo = list(alive)
        while todo:
            for state in before[todo.pop()]:
                if state not in alive:
                    alive.add(state)
                    todo.append(state)
        return alive
