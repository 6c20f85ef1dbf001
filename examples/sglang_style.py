"""A program written for SGLang's frontend; only the import says otherwise.

python examples/sglang_style.py
"""

import slipform as sgl


@sgl.function
def triage(s, message):
    s += sgl.system("You label texts.")
    with s.user():
        s += message + "\n"
        s += "Which team should handle this? Options: billing, technical, shipping"
    with s.assistant():
        s += sgl.gen("team", choices=["billing", "technical", "shipping"])
    if s["team"] == "billing":
        s += sgl.user("What is the amount?")
    else:
        s += sgl.user("What is the order number?")
    s += sgl.assistant(sgl.gen("detail", max_tokens=16, stop="\n"))


@sgl.function
def names(s, text):
    s += sgl.user(text + "\n\nName two people.")
    forks = s.fork(2)
    for number, fork in enumerate(forks, start=1):
        fork += sgl.assistant(f"{number}. " + sgl.gen("name", max_tokens=8, regex="[A-Z][a-z]+ [A-Z][a-z]+"))
    s += sgl.assistant("1. " + forks[0]["name"] + "\n2. " + forks[1]["name"])


def main():
    states = triage.run_batch(
        [
            {"message": "You charged me 49.90 EUR, which is twice the price."},
            {"message": "My order A-7731 has not arrived and the tracking does not move."},
        ],
        temperature=0,
        progress_bar=True,
    )
    for state in states:
        print(state["team"], "|", state["detail"])

    state = names.run(text="Anna Berg met Tom Fischer in Oslo.", temperature=0)
    print(state.messages()[-1]["content"])

    state = triage.run(message="The app crashes. Order SO-20094.", temperature=0, stream=True)
    for piece in state.text_iter("detail"):
        print(piece, end="", flush=True)
    print()


if __name__ == "__main__":
    main()
