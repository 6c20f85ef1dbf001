"""Fork and join: one message, read once; three judgements on it, made side by side over the shared prefix.

slipform run examples/review.py
"""

import slipform as sf

JUDGEMENTS = {
    "urgency": ("How urgent is this message?", ["low", "medium", "high"]),
    "sentiment": ("What is the sentiment of this text?", ["positive", "neutral", "negative"]),
    "category": ("Which category fits this message?", ["billing", "technical", "shipping", "returns"]),
}


@sf.function
def review(s, message):
    s += sf.system("You label texts. Answer with one of the labels.")
    s += sf.user_begin() + message + "\n\n"
    branches = s.fork(len(JUDGEMENTS))
    for branch, (name, (question, labels)) in zip(branches, JUDGEMENTS.items(), strict=True):
        branch += question + " Options: " + ", ".join(labels) + sf.user_end()
        branch += sf.assistant(sf.select(name, labels))
    branches.join()
    for name in JUDGEMENTS:
        s[name] = s[name][0]
    s["sure"] = {
        name: round(max(branch.get_meta_info(name)["probabilities"]), 2)
        for branch, name in zip(branches, JUDGEMENTS, strict=True)
    }


ROWS = [
    {"message": "I was charged twice for the same thing. I need this fixed immediately, this is an emergency."},
    {"message": "Great service, thank you so much! The parcel came a day early. No need to reply."},
    {"message": "The screen stays black after the update. Please get back to me in the next few days."},
]


def main():
    for state in review.run_batch(ROWS):
        print({name: state[name] for name in JUDGEMENTS}, state["sure"])


if __name__ == "__main__":
    main()
