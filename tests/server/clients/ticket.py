"""What all these programs ask for."""

import json
import sys
from typing import Any, Literal

from pydantic import BaseModel

BASE_URL = sys.argv[1]
MAIL = "Hi, my name is Priya Nair. I was charged twice for order SO-20094. No rush."
QUESTION = f"Extract the ticket as JSON.\n\n{MAIL}"


class Ticket(BaseModel):
    """A support ticket."""

    customer: str
    order_id: str
    urgency: Literal["low", "medium", "high"]


def show(kind: str, ticket: Any) -> None:
    assert isinstance(ticket, Ticket), ticket
    print(json.dumps({"kind": kind, **ticket.model_dump()}))
