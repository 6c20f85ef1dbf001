"""The front end of `JsonSchema`: reads, analyses and lowers one schema.

text ─ reader ─► JSON ─ resources ─► goals ─ expansion ─► shapes ─ analysis ─► plans ─ lowering ─► nodes
"""

from slipform.errors import GrammarTooLarge
from slipform.grammars.builder import Builder, Node
from slipform.grammars.json_schema.analysis import Analysis
from slipform.grammars.json_schema.exclusive import Exclusion
from slipform.grammars.json_schema.expansion import Expander
from slipform.grammars.json_schema.lowering import Lowering
from slipform.grammars.json_schema.reader import Json, read_schema
from slipform.grammars.json_schema.resources import Registry, may_have_identifiers
from slipform.grammars.spec import JsonSchema


def build(spec: JsonSchema, builder: Builder) -> Node:
    """The node of the JSON texts that `spec.schema` accepts.

    The whole schema is checked before this returns; the parts are built when generation reaches them.

    Raises: GrammarSyntaxError, UnsupportedGrammar, EmptyGrammar (each with a JSON pointer); GrammarTooLarge and
        GrammarTimeout by the builder's limits.
    """
    limits = builder.budget.limits
    try:
        return _build(spec, builder)[1]
    except RecursionError:
        raise GrammarTooLarge("depth", limits.depth) from None


def notes(schema: str) -> list[tuple[str, str]]:
    """What `schema` says that is not enforced because the standard makes it an annotation: (JSON pointer, text)."""
    analysis, _ = _build(JsonSchema(schema), Builder())
    return analysis.expander.notes


def _build(spec: JsonSchema, builder: Builder) -> tuple[Analysis, Node]:
    budget = builder.budget
    limits = budget.limits
    text = "\n".join((spec.schema, *(text for _, text in spec.resources)))
    budget.check_source(text)

    def read(text: str) -> Json:
        return read_schema(text, max_chars=limits.source_bytes, max_depth=limits.depth)

    schema = read(spec.schema)
    own = isinstance(schema, dict) and "$schema" in schema
    refers_to_metaschema = text.count("json-schema.org/draft/20") > own
    exclusion = Exclusion(budget)
    expander = Expander(
        Registry(schema, dict(spec.resources), read, has_identifiers=may_have_identifiers(spec.schema, schema)),
        formats=spec.formats,
        keeps_annotations='"unevaluated' in text,
        has_dynamic_scope='"$dynamicRef"' in text or '"$recursiveRef"' in text or refers_to_metaschema,
        exclusive=exclusion.exactly_one,
        without_empty=exclusion.without_empty,
        check=budget.check_time,
    )
    exclusion.expander = expander
    analysis = Analysis(expander, budget)
    root = expander.root()
    analysis.check(root)
    lowering = Lowering(
        builder, analysis, order=spec.property_order, whitespace=spec.whitespace, integers=spec.integers
    )
    return analysis, lowering.value(root)
