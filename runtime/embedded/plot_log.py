"""Draw the loss curve of a training log.

python -m slipform.runtime.embedded.plot_log docs/embedded-model-log.jsonl docs/embedded-model-loss.png
"""

import argparse
import json
from pathlib import Path

import matplotlib.pyplot as plt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.log.read_text().splitlines()]
    figure, axes = plt.subplots(figsize=(8, 4))
    tokens = [row["tokens"] / 1e6 for row in rows]
    axes.plot(tokens, [row["answer_loss"] for row in rows], label="answers")
    axes.plot(tokens, [row["prompt_loss"] for row in rows], label="prompts (weight 0.1)")
    axes.set_yscale("log")
    axes.set_xlabel("training tokens, millions")
    axes.set_ylabel("cross-entropy per token, nats")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(options.picture, dpi=100)


if __name__ == "__main__":
    main()
