"""From arrays with uniqueItems to builder nodes: each way to write one, with the set of items written at run time."""

from typing import TYPE_CHECKING, Literal

from slipform.errors import EmptyGrammar
from slipform.grammars.builder import Builder, Node
from slipform.grammars.dfa import Dfa, literals
from slipform.grammars.json_schema import unique
from slipform.grammars.json_schema.arrays import ArrayPlan
from slipform.grammars.json_schema.shapes import Shape
from slipform.grammars.json_schema.unique import Canonical, Leader
from slipform.grammars.members import Extra

if TYPE_CHECKING:
    from slipform.grammars.json_schema.lowering import Lowering


class UniqueItems:
    """What stands between the brackets of the arrays of one plan, which `unique.check` has passed."""

    def __init__(self, lowering: "Lowering", plan: ArrayPlan, whitespace: Literal["flexible", "compact"]) -> None:
        self._lowering = lowering
        self._builder: Builder = lowering.builder
        self._plan = plan
        self._styles = unique.styles(whitespace)

    def node(self) -> Node:
        """The items in every style; one style where they are the same."""
        canonicals = [Canonical(self._lowering.analysis, style) for style in self._styles]
        free = unique.free_positions(canonicals[0], self._plan)
        ways = dict.fromkeys(self._from(canonical, free, 0, ()) for canonical in canonicals)
        return self._builder.alt(*ways)

    def _from(self, canonical: Canonical, free: set[int], index: int, used: tuple[bytes, ...]) -> Node:
        """The items from `index` on, with the separator before them; `used`: those written that may come again."""
        builder, plan = self._builder, self._plan
        if plan.max is not None and index >= plan.max:
            return builder.empty
        ends = index >= plan.min and all(contains.min == 0 for contains in plan.contains)
        options = [builder.empty] if ends else []
        goal = plan.goal(index)
        if index >= len(plan.prefix):
            options += [self._separated(canonical, index, rest) for rest in self._rest(canonical, index, used)]
        elif index in free:
            item = self._lowering.value(goal)
            options.append(self._separated(canonical, index, item, self._from(canonical, free, index + 1, used)))
        else:
            texts = canonical.scalars(canonical.shape_of(goal)) - literals(used)
            for text in texts.texts(unique.MAX_LISTED):
                rest = self._from(canonical, free, index + 1, (*used, text))
                options.append(self._separated(canonical, index, builder.literal(text), rest))
        return builder.alt(*options)

    def _separated(self, canonical: Canonical, index: int, *parts: Node) -> Node:
        separator = self._builder.literal(canonical.style.separator)
        return self._builder.seq(*parts) if index == 0 else self._builder.seq(separator, *parts)

    def _rest(self, canonical: Canonical, index: int, used: tuple[bytes, ...]) -> list[Node]:
        """The ways to write at least one item from `index` on, all of them alike."""
        plan = self._plan
        if plan.contains:
            return self._bag(canonical, index, self._counted(canonical))
        shape = canonical.shape_of(plan.goal(index))
        scalars = self._extra(canonical.scalars(shape) - literals(used))
        if not shape.arrays and not shape.objects:
            return self._bag(canonical, index, scalars)
        arrays = self._extra(canonical.arrays(shape))
        ways = [[*scalars, *arrays, *self._extra(canonical.objects(shape))]]
        led = unique.leader(canonical, shape)
        if led is not None:
            behind = self._behind(canonical, led)
            ways.append([*scalars, *arrays, Extra(self._builder.dfa(led.text), behind, unique=True)])
        containers = Shape(arrays=shape.arrays, objects=shape.objects)
        alone = Extra(self._lowering.shape_node(containers), self._builder.empty, unique=False, max_count=1)
        ways.append([*scalars, alone])
        return [node for extras in ways for node in self._bag(canonical, index, extras)]

    def _counted(self, canonical: Canonical) -> list[Extra]:
        """Items that count for `contains`, and the others."""
        contains = self._plan.contains[0]
        extras = []
        for goal, low, high in (
            (self._plan.found(0, contains), contains.min, contains.max),
            (self._plan.passed(0, contains), 0, None),
        ):
            shape = canonical.shape_of(goal)
            texts = canonical.scalars(shape) | canonical.containers(shape)
            if not texts.is_empty:  # the check has seen to it that there are as many as `low`
                key = self._builder.dfa(texts)
                extras.append(Extra(key, self._builder.empty, unique=True, min_count=low, max_count=high))
        return extras

    def _extra(self, texts: Dfa) -> list[Extra]:
        if texts.is_empty:
            return []
        return [Extra(self._builder.dfa(texts), self._builder.empty, unique=True)]

    def _bag(self, canonical: Canonical, index: int, extras: list[Extra]) -> list[Node]:
        """A bag of at least one item; none where the items are too few."""
        builder, plan = self._builder, self._plan
        try:
            found = builder.members(
                (),
                assign=builder.empty,
                separator=builder.literal(canonical.style.separator),
                order="any",
                extras=[extra for extra in extras if builder.never not in (extra.key, extra.value)],
                min_count=max(1, plan.min - index),
                max_count=None if plan.max is None else plan.max - index,
            )
        except EmptyGrammar:  # another way has enough of them, or the check would have failed
            return []
        return [found]

    def _behind(self, canonical: Canonical, led: Leader) -> Node:
        """What follows the leading member of an object, up to the closing brace."""
        builder = self._builder
        members = self._lowering.members_behind(led.plan, led.name)
        rest = builder.alt(*(self._separated(canonical, 1, part) for part in members))
        ends = len(led.plan.required) == 1 and led.plan.min <= 1
        return builder.seq(builder.optional(rest) if ends else rest, builder.literal(b"}"))
