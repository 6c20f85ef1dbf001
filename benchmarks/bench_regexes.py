"""Realistic and stressful regexes: how many are right, time to the first mask, time a token.

    python benchmarks/bench_regexes.py --regexes regexes.json --tokenizer DIRECTORY [--engines slipform,llguidance]

`regexes.json` is a list of {"id", "regex", "valid": [...], "invalid": [...]}; those whose id begins with "stress" are
summed up apart. Right: every valid text is allowed token by token with the end allowed behind it, every invalid one is
refused somewhere. Each engine runs in a child process; its first regex pays for nothing that is done once a process.
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from bench_grammars import Child
from common import print_result, print_table

WARM_UP = {"id": "warm-up", "regex": r"[a-c]+é?(xyz|\w{2})", "valid": ["abcéxyz"], "invalid": ["d"]}


def figures_of(results: list[dict[str, Any]]) -> dict[str, Any]:
    done = [result for result in results if "error" not in result]
    masks = [result["first_mask"] * 1e3 for result in done]
    tokens = sorted(seconds * 1e6 for result in done for seconds in result["all"])
    return {
        "regexes": len(results),
        "right": sum(not result["wrong"] and not result["refused"] for result in done),
        "first_mask_ms_p50": statistics.median(masks) if masks else None,
        "first_mask_ms_max": max(masks, default=None),
        "token_us_mean": statistics.fmean(tokens) if tokens else None,
        "token_us_p50": statistics.median(tokens) if tokens else None,
        "token_us_max": max(tokens, default=None),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regexes", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True, help="directory of a Hugging Face fast tokenizer")
    parser.add_argument("--engines", default="slipform,llguidance,xgrammar,outlines-core")
    parser.add_argument("--each", action="store_true", help="print a line for each regex")
    arguments = parser.parse_args()
    rows = json.loads(arguments.regexes.read_text())

    figures: dict[str, dict[str, Any]] = {}
    for name in arguments.engines.split(","):
        child = Child(name, arguments.tokenizer)
        child.ask("check_regex", WARM_UP)
        results = {row["id"]: child.ask("check_regex", row) for row in rows}
        child.close()
        if arguments.each:
            for key, result in results.items():
                one = figures_of([result])
                print(f"{name:16} {key:26}", result.get("error") or {k: v for k, v in one.items() if k != "regexes"})
        realistic = [result for key, result in results.items() if not key.startswith("stress")]
        stress = [result for key, result in results.items() if key.startswith("stress")]
        figures[name] = {"realistic": figures_of(realistic), "stress": figures_of(stress)}

    for kind in ("realistic", "stress"):
        columns = list(figures[next(iter(figures))][kind])
        print_table(
            f"Regexes, {kind}",
            ["engine", *columns],
            [[name, *("-" if f[kind][c] is None else f[kind][c] for c in columns)] for name, f in figures.items()],
        )
    print_result(figures, vars(arguments))


if __name__ == "__main__":
    main()
