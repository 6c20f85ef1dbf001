"""An extraction job: regular expressions say what an answer may look like, rows come from a file of JSON lines.

slipform run examples/invoices.py --input examples/invoices.jsonl --output extracted.jsonl
"""

import json
from pathlib import Path

import slipform as sf


@sf.function
def invoices(s, text):
    s += sf.system("Answer questions about the text with words from the text.")
    s += sf.user(text + "\n\nWhat is the invoice number?")
    s += sf.assistant(sf.regex(r"[A-Z]{1,4}-?[0-9]{3,8}", name="number", temperature=0))
    s += sf.user("When must it be paid? Answer as YYYY-MM-DD.")
    s += sf.assistant(sf.regex(r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", name="due", temperature=0))
    s += sf.user("Who issued the invoice?")
    s += sf.assistant(sf.regex(r"[A-Z][\w&. -]{1,40}", name="vendor", temperature=0))


ROWS = [json.loads(line) for line in (Path(__file__).parent / "invoices.jsonl").read_text().splitlines()]


def main():
    for state in invoices.run_batch(ROWS):
        print(state["number"], state["due"], state["vendor"], sep="\t")


if __name__ == "__main__":
    main()
