"""From keywords to shapes: what each schema says, worked out when it is first asked for.

`Expander.shape(goal)` meets the keywords of one schema with what its in-place subschemas say (allOf, anyOf, oneOf, not,
if, dependencies, references). Subschemas of items and members become goals and are not looked into, so a recursive
schema costs as much as a flat one.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Final, Literal

from slipform.errors import GrammarSyntaxError, UnsupportedGrammar
from slipform.grammars.json_schema import references, unevaluated, values
from slipform.grammars.json_schema.algebra import complement, intersect, union
from slipform.grammars.json_schema.assertions import PLAIN_KEYWORDS, VALIDATION_KEYWORDS, plain_shape
from slipform.grammars.json_schema.conditions import (
    MAX_CLAUSES,
    clauses_atom,
    implied,
    implied_clauses,
    is_one_of,
    required_only,
    single_required,
)
from slipform.grammars.json_schema.formats import FORMATS
from slipform.grammars.json_schema.reader import Json, escape_token
from slipform.grammars.json_schema.resources import DRAFT_03, DRAFT_07, Registry, Resource
from slipform.grammars.json_schema.schemas import Schema, Scope, names_of
from slipform.grammars.json_schema.shapes import (
    ANYTHING,
    FALSE,
    FULL_ARRAY,
    FULL_NUMBER,
    FULL_STRING,
    NOTHING,
    TRUE,
    All,
    Beyond,
    Clauses,
    Goal,
    Not,
    ObjectAtom,
    ObjectLayer,
    Shape,
    Some,
)

_MAX_SUBSETS = 6  # alternatives of an anyOf below unevaluated*, of which every subset may hold at once
_MANY_CASES = 4
_DRAFT_03_ONLY: Final = ("disallow", "divisibleBy", "extends")  # later drafts ignore them; there they would be dropped


class Expander:
    """Shapes of the schemas of one document.

    Attributes:
        registry: resolves references.
        keeps_annotations: the document uses unevaluatedProperties or unevaluatedItems.
        expanding: the goals under way.
        notes: (path, text) of what a reader of the schema may not expect, such as formats that are annotations.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        formats: Literal["enforced", "all", "annotation"],
        keeps_annotations: bool,
        has_dynamic_scope: bool,
        exclusive: Callable[[list[Shape], Shape, str], Shape],
        without_empty: Callable[[Shape], Shape],
        check: Callable[[], None],
    ) -> None:
        """
        Args:
            formats: which ones are asserted, as in `JsonSchema`.
            has_dynamic_scope: the document uses $dynamicRef or $recursiveRef.
            exclusive: the values of a second shape in exactly one of several (`oneOf`); the path is for errors.
            without_empty: drops cases that are seen to be empty.
            check: called once a schema; raises when time is up.
        """
        self.notes: list[tuple[str, str]] = []
        self.registry = registry
        self.keeps_annotations = keeps_annotations
        self._formats = formats
        self._has_dynamic_scope = has_dynamic_scope
        self._exclusive = exclusive
        self._without_empty = without_empty
        self._check = check
        self._goals: dict[tuple[int, Scope], Schema] = {}
        self.expanding: set[Goal] = set()

    def root(self) -> Goal:
        """The goal of the document itself."""
        main = self.registry.main.main
        return self.goal(main.root, main.path, main, ())

    def goal(self, schema: Json, path: str, resource: Resource, scope: Scope) -> Goal:
        """The goal of a subschema that stands at `path` in `resource`."""
        if schema is True:
            return TRUE
        if schema is False:
            return Goal(path, NOTHING)
        if not isinstance(schema, dict):
            raise GrammarSyntaxError("a schema is an object or a boolean", path=path or "/")
        if not schema:
            return TRUE
        embedded = resource.document.embedded
        if embedded:
            resource = embedded.get(id(schema), resource)
        if self._has_dynamic_scope and resource not in scope:
            scope = (*scope, resource)
        key = (id(schema), scope)
        goal = self._goals.get(key)
        if goal is None:
            said = schema
            if resource.vocabularies is not None and "validation" not in resource.vocabularies:
                said = {keyword: value for keyword, value in schema.items() if keyword not in VALIDATION_KEYWORDS}
            goal = self._goals[key] = Schema(said, path, resource, scope)
        return goal

    def asserts_format(self, name: str, resource: Resource) -> bool:
        """Whether the format `name` is enforced in `resource`."""
        if name not in FORMATS:
            return False
        if "format-assertion" in (resource.vocabularies or ()):
            return True
        return self._formats == "all" or (self._formats == "enforced" and not FORMATS[name].rare)

    def shape(self, goal: Goal) -> Shape:
        """The shape of `goal`, worked out once.

        Raises: GrammarSyntaxError for a malformed keyword; UnsupportedGrammar for what cannot be enforced.
        """
        if goal.shape is not None:
            return goal.shape
        if goal in self.expanding:
            raise UnsupportedGrammar(
                "a schema that refers to itself", path=goal.path, reason="it would describe nothing"
            )
        self.expanding.add(goal)
        try:
            if isinstance(goal, Schema):
                self._check()
                shape = self._keywords(goal)
            elif isinstance(goal, Beyond) or (isinstance(goal, All) and any(isinstance(p, Beyond) for p in goal.parts)):
                try:
                    shape = self._combined(goal)
                except UnsupportedGrammar:
                    shape = Shape(narrowed=True)
            else:
                shape = self._combined(goal)
        finally:
            self.expanding.discard(goal)
        goal.shape = shape
        return shape

    def _combined(self, goal: Goal) -> Shape:
        if isinstance(goal, All):
            shape = ANYTHING
            for part in goal.parts:
                shape = self._both(shape, self.shape(part))
            return shape
        if isinstance(goal, Some):
            return union([self.shape(part) for part in goal.parts], keep_annotations=self.keeps_annotations)
        assert isinstance(goal, Not)
        return complement(self.shape(goal.part), goal.path)

    # Keywords --------------------------------------------------------------------------------------------------------

    def _keywords(self, goal: Schema) -> Shape:
        schema = goal.schema
        if "$ref" in schema and goal.resource.dialect <= DRAFT_07:
            return self.shape(references.reference(self, goal))
        if goal.resource.dialect == DRAFT_03:
            for keyword in _DRAFT_03_ONLY:
                if keyword in schema:
                    raise UnsupportedGrammar(keyword, path=f"{goal.path}/{keyword}", reason="only draft-03 has it")
        shape = ANYTHING
        plain_is_done = False
        for keyword in schema:
            if keyword in PLAIN_KEYWORDS:
                if not plain_is_done:
                    plain_is_done = True
                    shape = self._both(shape, plain_shape(self, goal))
                continue
            in_place = _IN_PLACE.get(keyword)
            if in_place is not None:
                shape = self._both(shape, in_place(self, goal))
        if "allOf" in schema:
            for part in self._branches(goal, "allOf"):
                if isinstance(part, Schema) and is_one_of(part):
                    shape = self._one_of(part, shape)
        if "oneOf" in schema:
            shape = self._one_of(goal, shape)
        if "unevaluatedProperties" in schema:
            shape = unevaluated.close_properties(self, goal, shape)
        if "unevaluatedItems" in schema:
            shape = unevaluated.close_items(self, goal, shape)
        if "const" in schema or "enum" in schema:
            shape = self._listed(goal, shape)
        return shape

    def _listed(self, goal: Schema, shape: Shape) -> Shape:
        """enum and const: the values listed that everything else admits."""
        schema = goal.schema
        listed: list[Json] | None = None
        if "enum" in schema:
            listed = schema["enum"]
            if not isinstance(listed, list):
                raise GrammarSyntaxError("enum must be a list", path=f"{goal.path}/enum")
        if "const" in schema:
            const = schema["const"]
            if listed is None or values.key(const) in {values.key(value) for value in listed}:
                listed = [const]
            else:
                listed = []
        assert listed is not None
        path = f"{goal.path}/{'enum' if 'enum' in schema else 'const'}"
        if shape is not ANYTHING:
            listed = [value for value in listed if values.admits(self, shape, value)]
        exact = values.shape_of(listed, path)
        if any(atom.whole for atom in shape.numbers):  # of the values admitted, some have fewer spellings
            both = intersect(Shape(numbers=shape.numbers), Shape(numbers=exact.numbers))
            exact = replace(exact, numbers=both.numbers)
        return intersect(shape, exact) if self.keeps_annotations and shape is not ANYTHING else exact

    # In-place applicators --------------------------------------------------------------------------------------------

    def _reference(self, goal: Schema) -> Shape:
        return self.shape(references.reference(self, goal))

    def _dynamic_reference(self, goal: Schema) -> Shape:
        return self.shape(references.dynamic_reference(self, goal))

    def _recursive_reference(self, goal: Schema) -> Shape:
        return self.shape(references.recursive_reference(self, goal))

    def _all_of(self, goal: Schema) -> Shape:
        shape = ANYTHING
        for part in self._branches(goal, "allOf"):
            if not is_one_of(part):  # these come last
                shape = self._both(shape, self.shape(part))
        return shape

    def _any_of(self, goal: Schema) -> Shape:
        parts = self._branches(goal, "anyOf")
        clauses = required_only(parts)
        if clauses is not None:
            return Shape(True, 3, (FULL_NUMBER,), (FULL_STRING,), (FULL_ARRAY,), (clauses_atom(clauses, goal),))
        shapes = [self.shape(part) for part in parts]
        if not self.keeps_annotations or not any(map(_annotates, shapes)):
            return union(shapes)
        if len(shapes) > _MAX_SUBSETS:
            raise UnsupportedGrammar(
                "anyOf", path=f"{goal.path}/anyOf", reason=f"more than {_MAX_SUBSETS} alternatives below unevaluated*"
            )
        # Alternatives that hold together evaluate together, so every subset is a case of its own.
        cases = []
        for size in range(1, len(shapes) + 1):
            for subset in combinations(shapes, size):
                case = subset[0]
                for shape in subset[1:]:
                    case = intersect(case, shape)
                cases.append(case)
        return union(cases, keep_annotations=True)

    def _one_of(self, goal: Schema, context: Shape) -> Shape:
        """oneOf, met with what the schema says beside it, which helps to tell the alternatives apart."""
        parts = self._branches(goal, "oneOf")
        if len(parts) == 1:
            return self._both(context, self.shape(parts[0]))
        names = single_required(parts)
        if names is not None and len(names) * (len(names) - 1) // 2 <= MAX_CLAUSES:
            exactly_one: Clauses = ((frozenset(), frozenset(names)),)
            exactly_one += tuple((frozenset(pair), frozenset()) for pair in combinations(names, 2))
            # Any value of another type satisfies every branch.
            return self._both(context, Shape(objects=(clauses_atom(exactly_one, goal),)))
        return self._exclusive([self.shape(part) for part in parts], context, f"{goal.path}/oneOf")

    def _not(self, goal: Schema) -> Shape:
        return complement(self.shape(self.below(goal, "not")), f"{goal.path}/not")

    def _if(self, goal: Schema) -> Shape:
        schema = goal.schema
        if "then" not in schema and "else" not in schema and not self.keeps_annotations:
            return ANYTHING
        condition = self.shape(self.below(goal, "if"))
        holds, fails = condition, complement(condition, f"{goal.path}/if")
        if "then" in schema:
            holds = self._both(holds, self.shape(self.below(goal, "then")))
        if "else" in schema:
            fails = self._both(fails, self.shape(self.below(goal, "else")))
        return union([holds, fails], keep_annotations=self.keeps_annotations)

    def _dependent_schemas(self, goal: Schema) -> Shape:
        return self._dependencies(goal, "dependentSchemas")

    def _old_dependencies(self, goal: Schema) -> Shape:
        return self._dependencies(goal, "dependencies")

    def _dependencies(self, goal: Schema, keyword: str) -> Shape:
        declared = goal.schema[keyword]
        where = f"{goal.path}/{keyword}"
        if not isinstance(declared, dict):
            raise GrammarSyntaxError(f"{keyword} must be an object", path=where)
        result = ANYTHING
        for name, needed in declared.items():
            if keyword == "dependencies" and isinstance(needed, list | str):
                listed = [needed] if isinstance(needed, str) else needed
                clauses = implied(name, names_of(listed, f"{where}/{escape_token(name)}"))
                result = self._both(result, _objects_only(clauses_atom(clauses, goal)))
                continue
            then = self.shape(self.below(goal, keyword, name)).objects
            conditions = implied_clauses(name, then)
            if conditions is not None and not (self.keeps_annotations and any(atom.layers for atom in then)):
                result = self._both(result, _objects_only(clauses_atom(conditions, goal)))
                continue
            absent = ObjectLayer({name: FALSE}, (), TRUE, annotates=False)
            without = _objects_only(ObjectAtom(layers=(absent,), path=goal.path))
            present = intersect(Shape(objects=(ObjectAtom(required=(name,), path=goal.path),)), Shape(objects=then))
            result = self._both(result, union([without, present], keep_annotations=self.keeps_annotations))
        return result

    # Helpers ---------------------------------------------------------------------------------------------------------

    def _both(self, a: Shape, b: Shape) -> Shape:
        """The values in both shapes; where cases multiply, those that contradict themselves are dropped at once."""
        met = intersect(a, b)
        return self._without_empty(met) if len(met.objects) > _MANY_CASES else met

    def below(self, goal: Schema, keyword: str, key: str | int | None = None) -> Goal:
        """The goal of the subschema under `keyword`, or under its entry `key`."""
        child = goal.schema[keyword]
        path = f"{goal.path}/{keyword}"
        if key is not None:
            child = child[key]
            path = f"{path}/{escape_token(key) if isinstance(key, str) else key}"
        return self.goal(child, path, goal.resource, goal.scope)

    def _branches(self, goal: Schema, keyword: str) -> list[Goal]:
        listed = goal.schema[keyword]
        if not isinstance(listed, list) or not listed:
            raise GrammarSyntaxError(f"{keyword} must be a list of schemas", path=f"{goal.path}/{keyword}")
        return [self.below(goal, keyword, index) for index in range(len(listed))]


_IN_PLACE: Final[dict[str, Callable[[Expander, Schema], Shape]]] = {
    "$ref": Expander._reference,
    "$dynamicRef": Expander._dynamic_reference,
    "$recursiveRef": Expander._recursive_reference,
    "allOf": Expander._all_of,
    "anyOf": Expander._any_of,
    "not": Expander._not,
    "if": Expander._if,
    "dependentSchemas": Expander._dependent_schemas,
    "dependencies": Expander._old_dependencies,
}


def _objects_only(atom: ObjectAtom) -> Shape:
    """The objects of `atom` and every value of another type."""
    return Shape(True, 3, (FULL_NUMBER,), (FULL_STRING,), (FULL_ARRAY,), (atom,))


def _annotates(shape: Shape) -> bool:
    return any(atom.layers for atom in shape.objects) or any(atom.layers or atom.contains for atom in shape.arrays)
