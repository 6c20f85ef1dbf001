"""From shapes to builder nodes. Containers become rules, built when generation first reaches them."""

from functools import partial
from typing import Final, Literal

from slipform.errors import EmptyGrammar
from slipform.grammars.builder import Builder, Node
from slipform.grammars.json_schema import numbers, strings
from slipform.grammars.json_schema.analysis import Analysis, indexed_clauses
from slipform.grammars.json_schema.arrays import ArrayPlan
from slipform.grammars.json_schema.counted_items import CountedItems, Counts
from slipform.grammars.json_schema.objects import Keys, Plan
from slipform.grammars.json_schema.shapes import (
    ANYTHING,
    FALSE_BIT,
    FULL_ARRAY,
    FULL_NUMBER,
    FULL_OBJECT,
    INTEGER,
    TRUE_BIT,
    WHOLE_INTEGER,
    ArrayAtom,
    Goal,
    NumberAtom,
    ObjectAtom,
    Shape,
    StringAtom,
)
from slipform.grammars.json_schema.unique_items import UniqueItems
from slipform.grammars.members import Extra, Member

_MANY_LISTED: Final = 12  # texts of an enumeration that is built when generation reaches it


class Lowering:
    """Makes nodes of goals that the analysis has passed."""

    def __init__(
        self,
        builder: Builder,
        analysis: Analysis,
        *,
        order: Literal["declared", "any"],
        whitespace: Literal["flexible", "compact"],
        integers: Literal["standard", "plain"],
    ) -> None:
        self.builder = builder
        self.analysis = analysis
        self._order: Literal["declared", "any"] = order
        self._spelling: numbers.Spelling = "whole" if integers == "plain" else "any"
        self._whitespace: Literal["flexible", "compact"] = whitespace
        flexible = whitespace == "flexible"
        self._assign = builder.choice((b":", b": ")) if flexible else builder.literal(b":")
        self._separator = builder.choice((b",", b", ")) if flexible else builder.literal(b",")
        self._nodes: dict[int, tuple[Shape, Node]] = {}

    def value(self, goal: Goal) -> Node:
        """The node of the JSON texts of the values that satisfy `goal`; `never` if there are none."""
        if not self.analysis.productive(goal):
            return self.builder.never
        shape = self.analysis.expander.shape(goal)
        known = self._nodes.get(id(shape))
        if known is None:
            known = self._nodes[id(shape)] = (shape, self.shape_node(shape))
        return known[1]

    def shape_node(self, shape: Shape) -> Node:
        """The node of the JSON texts of the values in `shape`."""
        builder = self.builder
        listed = [b"null"] if shape.null else []
        listed += [b"true"] if shape.booleans & TRUE_BIT else []
        listed += [b"false"] if shape.booleans & FALSE_BIT else []
        options: list[Node] = []
        for number in shape.numbers:
            if number.allowed is not None:
                spelling = numbers.spelling_of(number, self._spelling)
                listed += [text for value in number.allowed for text in numbers.spellings(value, spelling)]
            elif number is FULL_NUMBER or number is INTEGER or number is WHOLE_INTEGER:
                options.append(builder.dfa(numbers.number_dfa(number, self._spelling)))
            else:
                options.append(builder.rule(("number", number), partial(self._number, number), nullable=False))
        for string in shape.strings:
            if string.allowed is not None:
                fitting = [text for text in string.allowed if not string.is_regular or strings.admits(string, text)]
                listed += [spelled for text in fitting for spelled in strings.spellings(text)]
            else:
                options.append(self._string(string))
        for array in shape.arrays:
            if self.analysis.array_fault(array) is None:
                key = ("array", id(array))
                options.append(builder.rule(key, partial(self._array, array), nullable=False))
        for atom in shape.objects:
            if any(self.analysis.object_fault(plan) is None for plan in self.analysis.object_plans(atom)):
                key = ("object", id(atom))
                options.append(builder.rule(key, partial(self._object, atom), nullable=False))
        if len(listed) > _MANY_LISTED:
            key = ("listed", id(shape))
            options.insert(0, builder.rule(key, partial(builder.choice, listed), nullable=False))
        elif listed:
            options.insert(0, builder.choice(listed))
        return builder.alt(*options)

    def _number(self, atom: NumberAtom) -> Node:
        return self.builder.dfa(numbers.number_dfa(atom, self._spelling))

    # Strings ---------------------------------------------------------------------------------------------------------

    def _string(self, atom: StringAtom) -> Node:
        builder = self.builder
        quote = builder.literal(b'"')
        if atom.is_regular:
            counter = strings.counted(atom)
            if counter is not None:
                body = builder.rule(("counted", atom), partial(counter.node, builder), nullable=counter.admits_empty)
                return builder.seq(quote, body, quote)
            key = ("string", atom)
            return builder.rule(key, lambda: builder.dfa(strings.quoted(strings.decoded(atom))), nullable=False)
        if atom.min == 0 and atom.max is None:
            return builder.dfa(strings.any_quoted())
        body = builder.repeat(builder.dfa(strings.one_character()), atom.min, atom.max)
        return builder.seq(quote, body, quote)

    # Arrays ----------------------------------------------------------------------------------------------------------

    def _array(self, atom: ArrayAtom) -> Node:
        builder = self.builder
        if atom is FULL_ARRAY:
            items = builder.repeat(self.value(_ANY), separator=self._separator)
        else:
            plan = self.analysis.array_plan(atom)
            if plan.unique:
                items = UniqueItems(self, plan, self._whitespace).node()
            elif not plan.contains:
                items = self._items(plan, 0)
            elif plan.horizon == 0 and len(plan.contains) == 1:
                items = self._counted_bag(plan)
            else:
                states = self.analysis.counted_items(plan)
                items = self._counted(states, states.start)
        return builder.seq(builder.literal(b"["), items, builder.literal(b"]"))

    def _items(self, plan: ArrayPlan, index: int) -> Node:
        """The items from position `index` on, with the separator before them unless `index` is 0."""
        builder = self.builder
        longest = self.analysis.longest(plan)
        if longest is not None and index >= longest:
            return builder.empty
        item = self.value(plan.goal(index))
        if index >= len(plan.prefix):
            fewest = max(0, plan.min - index)
            most = None if longest is None else longest - index
            if index == 0:
                return builder.repeat(item, fewest, most, separator=self._separator)
            return builder.repeat(builder.seq(self._separator, item), fewest, most)
        rest = builder.seq(item, self._items(plan, index + 1))
        if index > 0:
            rest = builder.seq(self._separator, rest)
        return rest if index < plan.min else builder.optional(rest)

    def _counted_bag(self, plan: ArrayPlan) -> Node:
        """One `contains` over items that are all alike: two kinds of items, with bounds on one of them."""
        contains = plan.contains[0]
        never = self.builder.never
        found = self.value(plan.found(0, contains))
        passed = self.value(plan.passed(0, contains))
        if contains.min == 0 and contains.max is None:
            return self._items(plan, 0)
        extras = [
            Extra(found, self.builder.empty, unique=False, min_count=contains.min, max_count=contains.max),
            Extra(passed, self.builder.empty, unique=False),
        ]
        return self.builder.members(
            (),
            assign=self.builder.empty,
            separator=self._separator,
            order="any",
            extras=[extra for extra in extras if extra.key != never],
            min_count=plan.min,
            max_count=plan.max,
        )

    def _counted(self, states: CountedItems, state: Counts) -> Node:
        """The items that follow in `state`: one rule for each number of items and counts."""
        builder = self.builder
        options = [builder.empty] if states.may_end(state) else []
        for after, goal in states.steps(state):
            make = partial(self._counted, states, after)
            rest = builder.rule(("items", id(states.plan), after), make, nullable=states.may_end(after))
            item = self.value(goal)
            options.append(builder.seq(item, rest) if state[0] == 0 else builder.seq(self._separator, item, rest))
        return builder.alt(*options)

    # Objects ---------------------------------------------------------------------------------------------------------

    def _object(self, atom: ObjectAtom) -> Node:
        builder = self.builder
        if atom is FULL_OBJECT:
            members = self._any_members()
        else:
            fitting = [p for p in self.analysis.object_plans(atom) if self.analysis.object_fault(p) is None]
            members = builder.alt(*(self._members(plan) for plan in fitting))
        return builder.seq(builder.literal(b"{"), members, builder.literal(b"}"))

    def _any_members(self) -> Node:
        extra = Extra(self.builder.dfa(strings.any_quoted()), self.value(_ANY))
        return self.builder.members((), assign=self._assign, separator=self._separator, order="any", extras=(extra,))

    def members_behind(self, plan: Plan, name: str) -> list[Node]:
        """The members of `plan` when `name` is written first, at least one more; nothing if there can be no other."""
        names = list(plan.declared)
        kept = names if self._order == "any" else names[names.index(name) :]
        declared = {other: plan.declared[other] for other in kept if other != name}
        required = plan.required - {name}
        most = None if plan.max is None else plan.max - 1
        rest = Plan(declared, required, plan.regions, max(plan.min - 1, 0 if required else 1), most, (), plan.path)
        try:
            return [self._members(rest, unique=None if plan.min > 2 else False)]
        except EmptyGrammar:
            return []

    def _members(self, plan: Plan, *, unique: bool | None = None) -> Node:
        """The members of one plan; `unique` as in `Extra`."""
        builder = self.builder
        declared = [
            Member(builder.choice(strings.spellings(name)), self.value(goal), name in plan.required)
            for name, goal in plan.declared.items()
        ]
        extras = [
            Extra(self._keys(region.keys), self.value(region.goal), unique, region.min, region.max)
            for region in plan.regions
            if self.analysis.productive(region.goal)
        ]
        return builder.members(
            declared,
            assign=self._assign,
            separator=self._separator,
            order=self._order,
            # Where nothing is required, undeclared members in between take nothing from what is forced.
            extras_last=bool(plan.required),
            extras=extras,
            min_count=plan.min,
            max_count=plan.max,
            clauses=indexed_clauses(plan),
        )

    def _keys(self, keys: Keys) -> Node:
        return self.builder.leaf(keys, partial(strings.quoted_keys, keys))


_ANY: Final = Goal("", ANYTHING)
_ANY.productive = True
