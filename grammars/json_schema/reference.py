"""The reference page of JSON Schema support, made from the tables that the code itself uses.

python -m slipform.grammars.json_schema.reference > docs/json-schema.md
"""

from slipform.grammars.json_schema.formats import FORMATS
from slipform.grammars.json_schema.keywords import KEYWORDS

_INTRODUCTION = """# JSON Schema support

*Made by `python -m slipform.grammars.json_schema.reference`; a test fails when it is stale.*

`JsonSchema` compiles a schema into a grammar that admits its instances and nothing else. A keyword is enforced
exactly, within the limits of the table; what cannot be enforced is refused when the grammar is compiled, with the
keyword, a JSON pointer and the reason: `Grammar error at /properties/age/multipleOf: ...`. Nothing is loosened. Where a
limit says that fewer instances are generated, every text is still valid. `notes(schema)` of
`slipform.grammars.json_schema.compiler` lists what a schema says that is an annotation only.

- **Dialects**: 2020-12 by default; 2019-09, draft-07, draft-06 and draft-04 by `$schema`. Older spellings
  (`definitions`, `dependencies`, a list in `items`, a boolean `exclusiveMinimum`) are understood in any of them.
  What only draft-03 has (`disallow`, `divisibleBy`, `extends`) is refused where `$schema` names it.
- **References** stay within the document, or lead to another one given in `resources` (URI to schema) or to a
  metaschema of the standard; nothing is fetched.
- **Formats** are enforced, since who writes one wants it. The standard makes them annotations by default:
  `formats="annotation"` does, too, unless `$schema` names a metaschema with the format-assertion vocabulary.
  That is why 15 groups of the official test suite of 2020-12 (`"format": "date"` admits `"soon"`) fail with the
  defaults; 20 more refer to documents that must be given in `resources`, and one to a metaschema.
- **Order of properties**: as declared (`property_order="declared"`; undeclared ones stand last where a property is
  required, anywhere otherwise), or any (`"any"`). Required properties hold in both, and no declared key is repeated.
- **White space**: none, or one space behind `,` and `:` (`whitespace="flexible"`); none at all with `"compact"`.
- **Strings** without a pattern admit every JSON spelling. Patterned strings, keys and formats write printable ASCII as
  it is, other characters as UTF-8 or as `\\uXXXX`, and control characters by their short escape or `\\u00XX`. Lengths
  count characters: an escape or a surrogate pair is one.
- **Numbers** are written in plain notation (`12.50`) or with an exponent from -307 to 307 (`1.5e-07`); integers and
  multiples in plain notation. An integer may end in `.0`, as the standard says since draft-06; in draft-04 and with
  `integers="plain"` it may not.
- A property that no value satisfies is never written; if it is required, compiling fails and names it.
"""


def page() -> str:
    """The whole page, in Markdown."""
    lines = [_INTRODUCTION]
    for kind, title in (
        ("enforced", "Enforced"),
        ("structure", "Structure and references"),
        ("annotation", "Annotations, with no bearing on validity"),
    ):
        lines += [f"## {title}", "", "| keyword | since | how | limits |", "|---|---|---|---|"]
        lines += [
            f"| `{keyword.name}` | {keyword.since} | {_cell(keyword.how)} | {_cell(keyword.limits)} |"
            for keyword in KEYWORDS
            if keyword.kind == kind
        ]
        lines.append("")
    lines += ["## Formats", "", 'Any other format is an annotation, and so are rare ones without `formats="all"`.', ""]
    lines += ["| format | follows | limits |", "|---|---|---|"]
    for name, entry in FORMATS.items():
        limits = "; ".join(filter(None, ["rare" if entry.rare else "", entry.limits]))
        lines.append(f"| `{name}` | {_cell(entry.standard)} | {_cell(limits)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
