"""Recursive rules over any specs: the front end of `Recursive`."""

from slipform.errors import GrammarSyntaxError
from slipform.grammars.builder import Builder, Node
from slipform.grammars.cfg import NOTHING, Alt, Embedded, Expression, Grammar, Ref, Rep, Seq
from slipform.grammars.front_ends import build_spec
from slipform.grammars.spec import AnyOf, Capture, GrammarSpec, Recursive, Reference, Repeated, Series


def build(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of `Recursive`.

    Raises: GrammarSyntaxError for a rule that is not there or is there twice, EmptyGrammar for rules that never end,
        UnsupportedGrammar for left recursion that hides; what the front ends of the parts raise.
    """
    assert isinstance(spec, Recursive)
    names = [name for name, _ in spec.rules]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise GrammarSyntaxError(f"rule {twice!r} is defined twice", path=twice)
    rules = {name: _expression(body, name, builder) for name, body in spec.rules}
    return Grammar(rules, {name: name for name in rules}, spec).build(spec.start, builder)


def build_reference(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of a `Reference` that no `Recursive` reaches. Raises: GrammarSyntaxError, always."""
    assert isinstance(spec, Reference)
    raise GrammarSyntaxError(f"rule {spec.name!r} is mentioned outside of its rules", path=spec.name)


def _expression(spec: GrammarSpec, rule: str, builder: Builder) -> Expression:
    match spec:
        case Reference(name):
            return Ref(name, rule)
        case Series(parts):
            return Seq(tuple(_expression(part, rule, builder) for part in parts))
        case AnyOf(options):
            return Alt(tuple(_expression(option, rule, builder) for option in options))
        case Capture(_, body):
            return _expression(body, rule, builder)
        case Repeated():
            return _repetition(spec, rule, builder)
        case _:
            node = build_spec(spec, builder)
            return Embedded(spec, lambda _: node, builder.is_nullable(node))


def _repetition(spec: Repeated, rule: str, builder: Builder) -> Expression:
    if spec.minimum < 0 or (spec.maximum is not None and spec.maximum < spec.minimum):
        raise GrammarSyntaxError(f"no count is between {spec.minimum} and {spec.maximum}", path=rule)
    if spec.maximum == 0:
        return NOTHING
    body = _expression(spec.body, rule, builder)
    if spec.separator is None:
        return Rep(body, spec.minimum, spec.maximum)
    more = Seq((_expression(spec.separator, rule, builder), body))
    rest = Rep(more, max(spec.minimum - 1, 0), None if spec.maximum is None else spec.maximum - 1)
    several = Seq((body, NOTHING if spec.maximum == 1 else rest))
    return Alt((NOTHING, several)) if spec.minimum == 0 else several
