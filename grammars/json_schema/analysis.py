"""What must be known before a token is made: that all of it can be enforced, and that some text satisfies it.

A goal is *productive* if some finite value satisfies it. Recursion makes that a least fixpoint: a value that could only
be finished inside itself does not count.
"""

from typing import Final

from slipform.errors import EmptyGrammar
from slipform.grammars.json_schema import numbers, strings, unique
from slipform.grammars.json_schema.arrays import ArrayPlan, array_plan
from slipform.grammars.json_schema.counted_items import CountedItems
from slipform.grammars.json_schema.expansion import Expander
from slipform.grammars.json_schema.objects import Plan, plans
from slipform.grammars.json_schema.shapes import (
    ANYTHING,
    FULL_ARRAY,
    FULL_OBJECT,
    ArrayAtom,
    Contains,
    Goal,
    ObjectAtom,
    Shape,
)
from slipform.grammars.limits import Budget
from slipform.grammars.members import Clause, Extra, Member, MembersSolver, MembersSpec

_NO_DEPTH: Final = 1 << 30
_NEVER, _SOME = 0, 1  # stand for nodes where only emptiness matters


class Analysis:
    """Productivity of goals, and the plans of arrays and objects that lowering builds."""

    def __init__(self, expander: Expander, budget: Budget) -> None:
        self.expander = expander
        self._budget = budget
        self._plans: dict[int, tuple[ObjectAtom, list[Plan]]] = {}
        self._array_plans: dict[int, tuple[ArrayAtom, ArrayPlan]] = {}
        self._open: dict[Goal, int] = {}  # goals under way, by depth
        self._lowest = _NO_DEPTH  # least depth of an open goal that the current answer rests on

    def check(self, root: Goal) -> None:
        """Look at everything that generation can reach from `root`.

        Raises: UnsupportedGrammar, GrammarSyntaxError as expansion finds them; EmptyGrammar if no value fits `root`.
        """
        if not self.productive(root):
            path, message = root.reason or (root.path, "no value satisfies this schema")
            raise EmptyGrammar(message, path=path or "/")
        seen: set[int] = set()
        todo = [root]
        while todo:
            goal = todo.pop()
            shape = self.expander.shape(goal)
            if shape is ANYTHING or id(shape) in seen:
                continue
            seen.add(id(shape))
            self._budget.check_time()
            for string in shape.strings:
                strings.has_text(string)  # raises for what cannot be enforced
            for number in shape.numbers:
                numbers.has_value(number)
            todo.extend(child for child in self._children(shape) if self.productive(child))

    def productive(self, goal: Goal) -> bool:
        """Whether some finite value satisfies `goal`; where not, `goal.reason` is the place and the reason."""
        if goal.productive is not None:
            return goal.productive
        if goal in self._open:
            self._lowest = min(self._lowest, self._open[goal])
            return False
        shape = self.expander.shape(goal)
        outer, self._lowest = self._lowest, _NO_DEPTH
        depth = self._open[goal] = len(self._open)
        found, reason = self._shape_productive(shape)
        del self._open[goal]
        if found:
            goal.productive = True
            self._lowest = outer
        else:
            goal.reason = reason or (goal.path, "no value satisfies this schema")
            if self._lowest >= depth:
                goal.productive = False
                self._lowest = outer
            else:  # the answer rests on a goal that is still open, so it may change
                self._lowest = min(outer, self._lowest)
        return found

    def object_plans(self, atom: ObjectAtom) -> list[Plan]:
        """The plans of `atom`, worked out once."""
        known = self._plans.get(id(atom))
        if known is None:
            known = self._plans[id(atom)] = (atom, plans(self.expander, atom))
        return known[1]

    def array_plan(self, atom: ArrayAtom) -> ArrayPlan:
        """The plan of `atom`, worked out once."""
        known = self._array_plans.get(id(atom))
        if known is None:
            known = self._array_plans[id(atom)] = (atom, array_plan(atom))
        return known[1]

    # Productivity ----------------------------------------------------------------------------------------------------

    def _shape_productive(self, shape: Shape) -> tuple[bool, tuple[str, str] | None]:
        if shape.null or shape.booleans:
            return True, None
        reason: tuple[str, str] | None = None
        if any(numbers.has_value(atom) for atom in shape.numbers):
            return True, None
        for string in shape.strings:
            if strings.has_text(string):
                return True, None
            reason = (string.path, "no string satisfies this schema")
        for array in shape.arrays:
            why = self.array_fault(array)
            if why is None:
                return True, None
            reason = why
        for atom in shape.objects:
            for plan in self.object_plans(atom):
                why = self.object_fault(plan)
                if why is None:
                    return True, None
                reason = why
        return False, reason

    def array_fault(self, atom: ArrayAtom) -> tuple[str, str] | None:
        """Why no array satisfies `atom`; None if one does."""
        if atom is FULL_ARRAY:
            return None
        plan = self.array_plan(atom)
        longest = self.longest(plan)
        if longest is not None and longest < plan.min:
            goal = plan.goal(longest)
            return goal.reason or (goal.path or atom.path, "no value satisfies an item that is required")
        if plan.not_unique:
            return atom.path, "it asks for equal items, which cannot be enforced"
        if plan.unique and (why := unique.shortage(self, plan)) is not None:
            return why
        for contains in plan.contains:
            if contains.min > 0:
                if longest is not None and longest < contains.min:
                    return atom.path, "contains asks for more items than there may be"
                goals = [plan.found(index, contains) for index in range(contains.start, plan.horizon + 1)]
                if not any(self.productive(goal) for goal in goals):
                    return f"{atom.path}/contains", "no item satisfies it"
        if not plan.contains or plan.unique:
            return None
        if plan.horizon == 0 and len(plan.contains) == 1:
            empty = self._bag_is_empty(plan, plan.contains[0])
        else:
            empty = CountedItems(plan, self.productive).is_empty
        return (
            (f"{atom.path}/contains", "its bounds and those on the number of items exclude each other")
            if empty
            else None
        )

    def _bag_is_empty(self, plan: ArrayPlan, contains: Contains) -> bool:
        """Whether one `contains` over items that are all alike cannot have its bounds met."""
        low, high = contains.min, contains.max
        if not self.productive(plan.found(0, contains)):
            high = 0
        if not self.productive(plan.passed(0, contains)):  # all items count
            low = max(low, plan.min)
        bounds = [bound for bound in (high, self.longest(plan)) if bound is not None]
        return any(low > bound for bound in bounds)

    def counted_items(self, plan: ArrayPlan) -> CountedItems:
        """The states of counting `contains` in the arrays of `plan`."""
        return CountedItems(plan, self.productive)

    def longest(self, plan: ArrayPlan) -> int | None:
        """How many items an array of `plan` may have at most; None for no bound."""
        longest = plan.max
        for index in range(plan.horizon + 1):
            if longest is not None and index >= longest:
                break
            if not self.productive(plan.goal(index)):
                return index
        return longest

    def object_fault(self, plan: Plan) -> tuple[str, str] | None:
        """Why no object satisfies `plan`; None if one does."""
        if plan.broken is not None:
            return plan.broken
        for name in plan.declared:
            if name in plan.required:
                goal = plan.declared[name]
                if not self.productive(goal):
                    return goal.reason or (goal.path or plan.path, f"no value satisfies the required property {name!r}")
        if plan.clauses or plan.min or plan.max is not None or any(region.min for region in plan.regions):
            declared = tuple(
                Member(_SOME, _SOME if self.productive(goal) else _NEVER, name in plan.required)
                for name, goal in plan.declared.items()
            )
            extras = tuple(
                Extra(
                    _SOME, _SOME if self.productive(region.goal) else _NEVER, min_count=region.min, max_count=region.max
                )
                for region in plan.regions
            )
            spec = MembersSpec(declared, "any", extras, False, plan.min, plan.max, _SOME, _SOME, indexed_clauses(plan))
            solver = MembersSolver(spec, _NEVER)
            if not solver.is_feasible(solver.start()):
                return plan.path, "no object satisfies its conditions on the names and number of properties"
        return None

    def _children(self, shape: Shape) -> list[Goal]:
        """The goals that a value of `shape` can meet inside."""
        children: list[Goal] = []
        for array in shape.arrays:
            if array is not FULL_ARRAY and self.array_fault(array) is None:
                items = self.array_plan(array)
                children.extend(items.children())
                if items.unique:
                    self._check_unique(items)
        for atom in shape.objects:
            if atom is not FULL_OBJECT:
                for plan in self.object_plans(atom):
                    if self.object_fault(plan) is None:
                        children.extend(plan.declared.values())
                        children.extend(region.goal for region in plan.regions)
        return children

    def _check_unique(self, plan: ArrayPlan) -> None:
        unique.check(self, plan)
        shapes = [self.expander.shape(goal) for goal in (*plan.prefix, plan.rest)]
        if any(shape.arrays or shape.objects for shape in shapes):
            text = "arrays and objects are told apart by one spelling; of those that have none, one at most is an item"
            self.expander.notes.append((f"{plan.path}/uniqueItems", text))


def indexed_clauses(plan: Plan) -> tuple[Clause, ...]:
    """The clauses of `plan` over the positions of its declared members."""
    index = {name: position for position, name in enumerate(plan.declared)}
    return tuple(
        Clause(tuple(sorted(index[name] for name in when)), tuple(sorted(index[name] for name in then)))
        for when, then in plan.clauses
    )
