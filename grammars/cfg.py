"""Context-free grammars: what the EBNF and Lark front ends parse into, and how it becomes nodes.

Rules are named expressions. Lowering computes which rules match the empty text and which match any text at all, takes
left recursion apart, makes each regular part one automaton (or a node with counters where it is large) and turns the
rest into rules that are built when generation first reaches them.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from slipform.errors import EmptyGrammar, GrammarSyntaxError, UnsupportedGrammar
from slipform.grammars import code_points as sets
from slipform.grammars import regex_syntax as syntax
from slipform.grammars.builder import Builder, Node
from slipform.grammars.dfa import MAX_STATES, Dfa
from slipform.grammars.regex import fragment, is_choice, tree_dfa, tree_size
from slipform.grammars.regex_anchors import has_assertion


@dataclass(frozen=True, slots=True)
class Terminal:
    """Texts that a regex tree matches as a whole."""

    tree: syntax.Tree


@dataclass(frozen=True, slots=True)
class Ref:
    """The rule `name`; `path` is where it is mentioned (`line:column`)."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Seq:
    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Alt:
    options: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Rep:
    """`minimum` to `maximum` (None: any number; not 0) of `body`."""

    body: "Expression"
    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Embedded:
    """A language that another front end builds (a JSON schema, say). `nullable`: it matches the empty text."""

    key: Hashable
    make: Callable[[Builder], Node]
    nullable: bool


Expression = Terminal | Ref | Seq | Alt | Rep | Embedded

NOTHING: Final = Seq(())

SURROGATES: Final = sets.span(0xD800, 0xDFFF)


def seq(parts: list[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else Seq(tuple(parts))


def alt(options: list[Expression]) -> Expression:
    return options[0] if len(options) == 1 else Alt(tuple(options))


@dataclass(frozen=True, slots=True)
class Grammar:
    """Attributes:
    rules: expression of each rule by name.
    positions: `line:column` of each rule's definition.
    key: hashable identity of the grammar; rules of equal keys and names are the same rule of a builder.
    """

    rules: Mapping[str, Expression]
    positions: Mapping[str, str]
    key: Hashable

    def build(self, root: str, builder: Builder) -> Node:
        """The node of rule `root`.

        Raises: GrammarSyntaxError for an unknown rule, EmptyGrammar if `root` matches no text, UnsupportedGrammar for
            left recursion that cannot be taken apart; each says where.
        """
        return _Lowering(self, root, builder).build()


class _Lowering:
    def __init__(self, grammar: Grammar, root: str, builder: Builder) -> None:
        self.grammar = grammar
        self.root = root
        self.builder = builder
        if root not in grammar.rules:
            raise GrammarSyntaxError(f"there is no rule {root!r}")
        self.rules = {name: grammar.rules[name] for name in self.reachable(root)}
        self.automata: dict[syntax.Tree, Dfa] = {}
        self.embedded: dict[Hashable, Node] = {}
        builder.budget.add_states(len(self.rules))
        self.nullable = self.least(self.is_nullable)
        self.productive = self.least(self.is_productive)
        self.recursive = self.recursive_rules()
        self.trees: dict[str, syntax.Tree | None] = {}

    def build(self) -> Node:
        if self.root not in self.productive:
            raise EmptyGrammar(f"rule {self.root!r} matches no text", path=self.grammar.positions[self.root])
        self.take_left_recursion_apart()
        # Rules that others mention come first, so that none is looked into twice.
        for group in strongly_connected(
            {name: {ref.name for ref in references(self.rules[name])} for name in self.rules}
        ):
            for name in group:
                if name not in self.recursive and name in self.productive:
                    self.trees[name] = self.tree_of(self.rules[name])
        # Nodes of rules are made on first use; what can fail is made now.
        for expression in self.rules.values():
            for part in embedded(expression):
                if part.key not in self.embedded:
                    self.embedded[part.key] = part.make(self.builder)
        node = self.lower(Ref(self.root, self.grammar.positions[self.root]))
        if node == self.builder.never:
            raise EmptyGrammar(f"rule {self.root!r} matches no text", path=self.grammar.positions[self.root])
        return node

    def reachable(self, root: str) -> list[str]:
        order = [root]
        seen = {root}
        for name in order:
            for ref in references(self.grammar.rules[name]):
                if ref.name not in self.grammar.rules:
                    raise GrammarSyntaxError(f"there is no rule {ref.name!r}", path=ref.path)
                if ref.name not in seen:
                    seen.add(ref.name)
                    order.append(ref.name)
        return order

    def guarded(self, tree: syntax.Tree) -> Dfa:
        """The automaton of a terminal with lookaround, which cannot be taken apart."""
        if tree not in self.automata:
            limits = self.builder.budget.limits
            self.automata[tree] = tree_dfa(tree, max_states=min(limits.states, MAX_STATES), seconds=limits.seconds)
        return self.automata[tree]

    # Facts about rules

    def least(self, holds: Callable[[Expression, set[str]], bool]) -> set[str]:
        """The least set of rules for which `holds`, which is monotone in the set."""
        true: set[str] = set()
        changed = True
        while changed:
            self.builder.budget.check_time()
            found = {name for name, body in self.rules.items() if name not in true and holds(body, true)}
            changed = bool(found)
            true |= found
        return true

    def is_nullable(self, expression: Expression, rules: set[str] | None = None) -> bool:
        known = self.nullable if rules is None else rules
        match expression:
            case Terminal(tree):
                return self.guarded(tree).accepts_empty if has_assertion(tree) else _tree_nullable(tree)
            case Ref(name):
                return name in known
            case Seq(parts):
                return all(self.is_nullable(part, known) for part in parts)
            case Alt(options):
                return any(self.is_nullable(option, known) for option in options)
            case Rep(body, minimum):
                return minimum == 0 or self.is_nullable(body, known)
            case Embedded():
                return expression.nullable

    def is_productive(self, expression: Expression, rules: set[str]) -> bool:
        match expression:
            case Terminal(tree):
                return not self.guarded(tree).is_empty if has_assertion(tree) else _tree_productive(tree)
            case Ref(name):
                return name in rules
            case Seq(parts):
                return all(self.is_productive(part, rules) for part in parts)
            case Alt(options):
                return any(self.is_productive(option, rules) for option in options)
            case Rep(body, minimum):
                return minimum == 0 or self.is_productive(body, rules)
            case _:
                return True

    def recursive_rules(self) -> set[str]:
        """Rules that can reach themselves."""
        edges = {name: {ref.name for ref in references(body)} for name, body in self.rules.items()}
        return {name for group in strongly_connected(edges) for name in group if len(group) > 1 or name in edges[name]}

    # Left recursion: A = A x | y is A = y x*, and a system of such equations is solved by elimination.

    def take_left_recursion_apart(self) -> None:
        edges = {name: set(self.left_corners(body)) for name, body in self.rules.items()}
        for group in strongly_connected(edges):
            if len(group) == 1 and group[0] not in edges[group[0]]:
                continue
            members = frozenset(group)
            heads: dict[str, dict[str, list[Expression]]] = {}
            rests: dict[str, list[Expression]] = {}
            for name in group:
                heads[name], rests[name] = {}, []
                for head, tail in self.split(self.rules[name], members, self.grammar.positions[name]):
                    if head is None:
                        rests[name].append(tail)
                    else:
                        heads[name].setdefault(head, []).append(tail)
            for index, name in enumerate(group):
                # `name` in terms of members behind it, then put into those.
                own = [tail for tail in heads[name].pop(name, []) if tail != NOTHING]
                loop: list[Expression] = [Rep(alt(own), 0, None)] if own else []
                for tails in heads[name].values():
                    tails[:] = [seq([tail, *loop]) for tail in tails]
                rests[name] = [seq([rest, *loop]) for rest in rests[name]]
                for other in group[index + 1 :]:
                    for tail in heads[other].pop(name, []):
                        for head, tails in heads[name].items():
                            heads[other].setdefault(head, []).extend(seq([inner, tail]) for inner in tails)
                        rests[other].extend(seq([rest, tail]) for rest in rests[name])
                        self.builder.budget.add_states(len(rests[name]) + 1)
                self.builder.budget.check_time()
            for name in group:
                path = self.grammar.positions[name]
                options = [seq([Ref(head, path), tail]) for head, tails in heads[name].items() for tail in tails]
                self.rules[name] = Alt((*rests[name], *options))
        self.recursive = self.recursive_rules()

    def left_corners(self, expression: Expression) -> Iterator[str]:
        """Rules that may come first, nothing having been consumed before."""
        match expression:
            case Ref(name):
                yield name
            case Seq(parts):
                for part in parts:
                    yield from self.left_corners(part)
                    if not self.is_nullable(part):
                        return
            case Alt(options):
                for option in options:
                    yield from self.left_corners(option)
            case Rep(body):
                yield from self.left_corners(body)

    def split(
        self, expression: Expression, members: frozenset[str], path: str
    ) -> Iterator[tuple[str | None, Expression]]:
        """The expression as alternatives: a member that stands first and what follows it, or None and the whole."""
        if not members.intersection(self.left_corners(expression)):
            yield None, expression
            return
        match expression:
            case Ref(name):
                yield name, NOTHING
            case Alt(options):
                for option in options:
                    yield from self.split(option, members, path)
            case Rep(body, minimum, maximum):
                if self.is_nullable(body):
                    raise UnsupportedGrammar("left recursion", path=path, reason="it hides in a loop of empty texts")
                if minimum == 0:
                    yield None, NOTHING
                more: list[Expression] = []
                if maximum != 1:
                    more = [Rep(body, max(minimum - 1, 0), None if maximum is None else maximum - 1)]
                for head, tail in self.split(body, members, path):
                    yield head, seq([tail, *more])
            case Seq(parts):
                first, rest = parts[0], list(parts[1:])
                if isinstance(first, Rep) and first.minimum == 0 and not self.is_nullable(first.body):
                    # Without the repetition, and with at least one.
                    yield from self.split(seq(rest), members, path)
                    first = Rep(first.body, 1, first.maximum)
                elif self.is_nullable(first) and members.intersection(self.left_corners(seq(rest))):
                    raise UnsupportedGrammar("left recursion", path=path, reason="it hides behind an empty text")
                for head, tail in self.split(first, members, path):
                    yield head, seq([tail, *rest])

    # Nodes

    def lower(self, expression: Expression) -> Node:
        self.builder.budget.check_time()
        tree = self.tree_of(expression)
        if tree is not None:
            return fragment(tree, self.builder)
        match expression:
            case Terminal(tree):
                return self.builder.dfa(self.guarded(tree)) if has_assertion(tree) else fragment(tree, self.builder)
            case Ref(name):
                if name not in self.productive:
                    return self.builder.never
                key = ("cfg", self.grammar.key, self.root, name)
                return self.builder.rule(
                    key, lambda: self.lower(self.rules[name]), nullable=self.is_nullable(expression)
                )
            case Seq(parts):
                return self.builder.seq(*map(self.lower, self.joined(parts)))
            case Alt(options):
                return self.builder.alt(*map(self.lower, self.grouped(options)))
            case Rep(body, minimum, maximum):
                return self.builder.repeat(self.lower(body), minimum, maximum)
            case Embedded():
                return self.embedded[expression.key]

    def joined(self, parts: tuple[Expression, ...]) -> list[Expression]:
        """Neighbours that are regular together become one part."""
        result: list[Expression] = []
        for part in parts:
            if result and self.tree_of(part) is not None:
                both = Seq((result[-1], part))
                if self.tree_of(both) is not None:
                    result[-1] = both
                    continue
            result.append(part)
        return result

    def grouped(self, options: tuple[Expression, ...]) -> list[Expression]:
        """Options that are regular put together: all plain texts in one, others as long as they stay small."""
        texts: list[Expression] = []
        result: list[Expression] = []
        group: list[Expression] = []
        for option in options:
            if isinstance(option, Terminal) and isinstance(option.tree, syntax.Text):
                texts.append(option)
            elif self.tree_of(option) is None:
                result.append(option)
            elif self.tree_of(Alt((*group, option))) is not None:
                group.append(option)
            else:
                result.append(alt(group))
                group = [option]
        return result + [alt(part) for part in (texts, group) if part]

    def tree_of(self, expression: Expression) -> syntax.Tree | None:
        """The expression as one regex tree, if it is regular and small; None if not."""
        result: syntax.Tree | None
        match expression:
            case Terminal(tree):
                result = None if has_assertion(tree) else tree
            case Ref(name):
                return self.trees.get(name)
            case Seq(parts) | Alt(parts):
                trees: list[syntax.Tree] = []
                for part in parts:
                    inner = self.tree_of(part)
                    if inner is None:
                        return None
                    trees.append(inner)
                if isinstance(expression, Seq):
                    result = syntax.concat(trees)
                else:
                    result = syntax.Alternatives(tuple(trees))
            case Rep(body, minimum, maximum):
                repeated = self.tree_of(body)
                result = None if repeated is None else syntax.Repeat(repeated, minimum, maximum)
            case Embedded():
                return None
        if result is None or tree_size(result) <= _REGULAR_SIZE or is_choice(result):
            return result
        return None


# Regular parts of rules are merged up to this size (characters, repetitions written out).
_REGULAR_SIZE: Final = 400


def references(expression: Expression) -> Iterator[Ref]:
    """Every mention of a rule."""
    match expression:
        case Ref():
            yield expression
        case Seq(parts) | Alt(parts):
            for part in parts:
                yield from references(part)
        case Rep(body):
            yield from references(body)


def embedded(expression: Expression) -> Iterator[Embedded]:
    """Every embedded language."""
    match expression:
        case Embedded():
            yield expression
        case Seq(parts) | Alt(parts):
            for part in parts:
                yield from embedded(part)
        case Rep(body):
            yield from embedded(body)


def strongly_connected(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """Strongly connected components in an order in which each comes behind those it points to (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    components: list[list[str]] = []
    for start in edges:
        if start in index:
            continue
        work = [(start, iter(sorted(edges[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            name, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(edges[target]))))
                    break
                if target in on_stack:
                    low[name] = min(low[name], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    component: list[str] = []
                    while not component or component[-1] != name:
                        component.append(stack.pop())
                        on_stack.discard(component[-1])
                    components.append(component[::-1])
    return components


def _tree_nullable(tree: syntax.Tree) -> bool:
    match tree:
        case syntax.Text(text):
            return not text
        case syntax.OneOf():
            return False
        case syntax.Concat(parts):
            return all(map(_tree_nullable, parts))
        case syntax.Alternatives(options):
            return any(map(_tree_nullable, options))
        case syntax.Repeat(body, minimum, _):
            return minimum == 0 or _tree_nullable(body)
        case _:
            raise AssertionError(f"{tree} is an assertion")


def _tree_productive(tree: syntax.Tree) -> bool:
    match tree:
        case syntax.Text(text):
            return not any("\ud800" <= character <= "\udfff" for character in text)
        case syntax.OneOf(points):
            return bool(sets.difference(points, SURROGATES))
        case syntax.Concat(parts):
            return all(map(_tree_productive, parts))
        case syntax.Alternatives(options):
            return any(map(_tree_productive, options))
        case syntax.Repeat(body, minimum, _):
            return minimum == 0 or _tree_productive(body)
        case _:
            return True
