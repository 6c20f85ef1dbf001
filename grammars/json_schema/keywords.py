"""Every keyword of the standard and what becomes of it; `docs/json-schema.md` is made from these tables.

Kinds: "enforced" (the grammar admits exactly what the keyword admits, within the limits given), "structure" (it says
where schemas are) and "annotation" (the standard gives it no bearing on validity).
"""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Keyword:
    """One row of the table. `since`: the first draft that defines it."""

    name: str
    kind: Literal["enforced", "structure", "annotation"]
    since: str
    how: str
    limits: str = ""


def _rows(kind: Literal["enforced", "structure", "annotation"], *rows: tuple[str, ...]) -> tuple[Keyword, ...]:
    return tuple(Keyword(row[0], kind, *row[1:]) for row in rows)


_CANONICAL = (
    "items are compared by their text, so each has one spelling in such an array; arrays and objects among them: those "
    "three deep at most, members in the order declared and one other at most, or objects told apart by a required "
    "scalar, or one of any kind"
)
_NOTATION = "plain or scientific notation, one digit before the point of the latter"
_SUBSETS = "below unevaluated* at most 6 alternatives"

KEYWORDS: Final = (
    *_rows(
        "enforced",
        (
            "type",
            "draft-03",
            'one alternative for each type; `integer` also takes `.0`, but not in draft-04 nor with `integers="plain"`',
        ),
        ("enum", "draft-03", "the values that the other keywords admit, any JSON, members in any order of the spec"),
        ("const", "draft-06", "as an enum of one value"),
        (
            "multipleOf",
            "draft-04",
            "remainder automaton over the digits, exact",
            "plain notation; beyond 20,000 remainders only the 512 multiples nearest to 0",
        ),
        ("minimum", "draft-03", "comparison automaton over the digits, exact", _NOTATION),
        ("maximum", "draft-03", "as minimum", _NOTATION),
        ("exclusiveMinimum", "draft-04", "as minimum; the boolean of draft-04 too", _NOTATION),
        ("exclusiveMaximum", "draft-04", "as minimum; the boolean of draft-04 too", _NOTATION),
        ("minLength", "draft-03", "counter of characters; with a pattern or format, in its automaton"),
        (
            "maxLength",
            "draft-03",
            "as minLength; characters are counted on the way where one automaton would be large",
            "states of the pattern × length at most 1,000,000, else refused",
        ),
        ("pattern", "draft-03", "ECMA-262, searched, over the decoded characters", "no backreferences"),
        (
            "format",
            "draft-03",
            'automata of the formats below; others are annotations and noted; with `formats="annotation"` all are',
        ),
        ("items", "draft-03", "the goal of every item (behind the prefix); a list is the prefix of draft-07"),
        ("prefixItems", "2020-12", "one goal for each position"),
        ("additionalItems", "draft-03", "the items behind a list in `items`"),
        ("minItems", "draft-03", "counter"),
        ("maxItems", "draft-03", "counter"),
        (
            "uniqueItems",
            "draft-03",
            "run-time set of item texts",
            _CANONICAL,
        ),
        ("contains", "draft-06", "counter of matching items", "4 of them at one place, one beside uniqueItems"),
        ("minContains", "2019-09", "counter of matching items"),
        ("maxContains", "2019-09", "counter of matching items"),
        ("properties", "draft-03", "declared members; one that nothing satisfies is never written"),
        ("patternProperties", "draft-03", "keys are divided by the patterns they match", "overlaps: 64 regions"),
        ("additionalProperties", "draft-03", "keys that are neither declared nor matched, in every spelling"),
        ("propertyNames", "draft-06", "declared names are checked, other keys are met with it"),
        ("required", "draft-04", "the closing brace waits for them"),
        ("minProperties", "draft-04", "counter"),
        ("maxProperties", "draft-04", "counter"),
        ("dependentRequired", "2019-09", "condition on the names present"),
        ("dependentSchemas", "2019-09", "condition on names where it speaks of names only, else two cases"),
        ("dependencies", "draft-03", "as dependentRequired and dependentSchemas"),
        ("allOf", "draft-04", "intersection, merged member by member"),
        ("anyOf", "draft-04", "union", _SUBSETS),
        (
            "oneOf",
            "draft-04",
            "exactly one, by excluding the others where they overlap",
            "overlaps beyond 64 cases: the simplest of them are generated",
        ),
        ("not", "draft-04", "complement", "arrays with equal items are not generated"),
        ("if", "draft-07", "two cases: it holds with `then`, or fails with `else`"),
        ("then", "draft-07", "see if"),
        ("else", "draft-07", "see if"),
        ("unevaluatedProperties", "2019-09", "the keys that no schema of the same place evaluates"),
        ("unevaluatedItems", "2019-09", "the items that no schema of the same place evaluates"),
    ),
    *_rows(
        "structure",
        (
            "$ref",
            "draft-03",
            "within the document, to one of `resources`, or to a metaschema; siblings are ignored before 2019-09",
        ),
        ("$dynamicRef", "2020-12", "resolved for each dynamic scope"),
        ("$recursiveRef", "2019-09", "resolved for each dynamic scope"),
        ("$id", "draft-06", "embedded resources"),
        ("id", "draft-03", "as $id, up to draft-04"),
        ("$anchor", "2019-09", "target of references"),
        ("$dynamicAnchor", "2020-12", "target of references"),
        ("$recursiveAnchor", "2019-09", "target of references"),
        ("$schema", "draft-03", "names the draft; unknown or absent: 2020-12"),
        ("$defs", "2019-09", "read when referred to"),
        ("definitions", "draft-04", "read when referred to"),
    ),
    *_rows(
        "annotation",
        ("$comment", "draft-07", ""),
        ("$vocabulary", "2019-09", "of a metaschema among `resources`: validation and format-assertion are heeded"),
        ("title", "draft-03", ""),
        ("description", "draft-03", ""),
        ("default", "draft-03", ""),
        ("examples", "draft-06", ""),
        ("deprecated", "2019-09", ""),
        ("readOnly", "draft-07", ""),
        ("writeOnly", "draft-07", ""),
        ("contentEncoding", "draft-07", ""),
        ("contentMediaType", "draft-07", ""),
        ("contentSchema", "2019-09", ""),
        ("discriminator", "OpenAPI", "the alternatives themselves are enforced"),
        ("nullable", "OpenAPI", 'not a keyword of JSON Schema; write `type: [..., "null"]`'),
    ),
)

ASSERTIONS: Final = frozenset(keyword.name for keyword in KEYWORDS if keyword.kind == "enforced") | {
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
}
