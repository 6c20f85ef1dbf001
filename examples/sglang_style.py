"""Programs written for SGLang's frontend; only the import says otherwise.

python examples/sglang_style.py
"""

import slipform as sgl


@sgl.function
def triage(s, message):
    s += sgl.system("You label texts.")
    with s.user():
        s += message + "\n\n"
        s += "Which team should handle this? Options: billing, technical, shipping"
    with s.assistant():
        s += sgl.gen("team", choices=["billing", "technical", "shipping"])
    if s["team"] == "billing":
        s += sgl.user("What is the amount?")
    else:
        s += sgl.user("What is the order number?")
    s += sgl.assistant(sgl.gen("detail", max_tokens=16, stop="\n"))


QUESTIONS = ["What is the name of the customer?", "What is the order number?"]


@sgl.function
def facts(s, message):
    s += sgl.user_begin() + message + "\n\n"
    forks = s.fork(len(QUESTIONS))
    for fork, question in zip(forks, QUESTIONS, strict=True):
        fork += question + sgl.user_end()
        fork += sgl.assistant(sgl.gen("answer", max_tokens=16))
    s += "Give me the facts." + sgl.user_end()
    s += sgl.assistant("Customer: " + forks[0]["answer"] + "\nOrder: " + forks[1]["answer"])


def main():
    states = triage.run_batch(
        [
            {"message": "I was charged twice for the same thing. The total was 49.90 EUR, please refund it."},
            {"message": "My order A-7731 has not arrived and the tracking has not moved for a week."},
        ],
        temperature=0,
        progress_bar=True,
    )
    for state in states:
        print(state["team"], "|", state["detail"])

    state = facts.run(message="My name is Tom Fischer. My order A-7731 has not arrived.", temperature=0)
    print(state.messages()[-1]["content"])

    state = triage.run(message="The app crashes all the time. My order number is SO-20094.", temperature=0, stream=True)
    for piece in state.text_iter("detail"):
        print(piece, end="", flush=True)
    print()


if __name__ == "__main__":
    main()
