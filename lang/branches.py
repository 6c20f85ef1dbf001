"""The branches of a fork, as a program sees them."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, cast

from slipform.errors import ProgramError
from slipform.lang import ir
from slipform.lang.arguments import checked

if TYPE_CHECKING:
    from slipform.lang.state import ProgramState

JoinMode = Literal["gather_variable", "concate_and_append"]


class ProgramStateGroup:
    """The branches of a fork.

    `forks[i]` and iteration give the branches; `forks += expr` appends to all of them, `forks += [a, b]` one value
    each, `forks += lambda i: …` what the function returns for branch i.
    """

    def __init__(self, states: Sequence["ProgramState"], source: "ProgramState") -> None:
        self.states = list(states)
        self._source = source

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, index: int) -> "ProgramState":
        return self.states[index]

    def __iter__(self) -> Iterator["ProgramState"]:
        return iter(self.states)

    def __iadd__(self, other: object) -> "ProgramStateGroup":
        if isinstance(other, (list, tuple)):
            if len(other) != len(self.states):
                raise ProgramError(
                    f"{len(other)} values for {len(self.states)} branches{ir.at(ir.caller_origin())}",
                    primitive="forks +=",
                )
            values = list(other)
        elif callable(other) and not isinstance(other, ir.Expr):
            choose = cast("Callable[[int], object]", other)
            values = [choose(index) for index in range(len(self.states))]
        else:
            values = [other] * len(self.states)
        for state, value in zip(self.states, values, strict=True):
            state += value  # appends in place
        return self

    @checked()
    def join(self, mode: JoinMode = "gather_variable") -> None:
        """Wait for all branches and bring their results back.

        `gather_variable`: each variable that branches added becomes a list on the source. `concate_and_append`: the
        text that the branches wrote is appended to the source, in order.
        """
        self._check(mode)
        for state in self.states:
            state.machine.text_waits()
        for state in self.states:
            state.sync()
        self._bring_back(mode)

    async def ajoin(self, mode: JoinMode = "gather_variable") -> None:
        """`join` for async programs."""
        self._check(mode)
        for state in self.states:
            state.machine.text_waits()
        for state in self.states:
            await state.async_all()
        self._bring_back(mode)

    def _check(self, mode: str) -> None:
        if mode not in ("gather_variable", "concate_and_append"):
            raise ProgramError(
                f"unknown mode {mode!r}; known: gather_variable, concate_and_append{ir.at(ir.caller_origin())}",
                primitive="join",
            )

    def _bring_back(self, mode: JoinMode) -> None:
        machines = [state.machine for state in self.states]
        if mode == "gather_variable":
            self._source.machine.gather(machines)
        else:
            self._source.machine.concatenate(machines)
