"""Support mail to typed records: one validated `Ticket` for each message.

slipform run examples/tickets.py
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

import slipform as sf

FIELDS = """
Fields:
- customer: name of the customer (string or null)
- email: e-mail address (string or null)
- order_id: order number (string or null)
- category: what the message is about (billing | technical | shipping | returns | other)
- urgency: how urgent it is (low | medium | high)
"""


Short = Annotated[str, Field(max_length=40)]


class Ticket(BaseModel):
    customer: Short | None
    email: Short | None
    order_id: Short | None
    category: Literal["billing", "technical", "shipping", "returns", "other"]
    urgency: Literal["low", "medium", "high"]


@sf.function
def tickets(s, message):
    s += sf.system("You extract data from text. Answer with JSON only.")
    s += sf.user("Extract the fields below from the support ticket as JSON." + FIELDS + "\n" + message)
    s += sf.assistant(sf.gen("ticket", schema=Ticket, temperature=0))


ROWS = [
    {
        "message": "My name is Maria Keller. I was charged twice for order ORD-48213. "
        "This is an emergency, I need it fixed immediately. Write to me at maria.keller@example.com."
    },
    {
        "message": "Hi, this is Tom Fischer. My parcel has not arrived and the tracking has not moved for a week. "
        "The order number is A-7731. It would be good to have this solved this week."
    },
    {
        "message": "The app crashes every time I open the settings. There is no rush, I can live with it for now. "
        "You can reach me at j.larsen@example.org."
    },
    {
        "message": "Lucia Romano here. I want to send the desk lamp back, the colour is wrong. "
        "The order number is SO-20094. Take your time with this one."
    },
]


def main():
    for state in tickets.run_batch(ROWS, progress_bar=True):
        ticket = state["ticket"]
        print(f"{ticket.urgency:8} {ticket.category:10} {ticket.order_id or '-':12} {ticket.customer or '-'}")


if __name__ == "__main__":
    main()
