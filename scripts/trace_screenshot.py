"""Makes docs/trace.png: runs a program with forks on the embedded model, and photographs the page of its trace.

    python scripts/trace_screenshot.py [PAGE.html]

Needs the extra `test` and a Chromium. With an argument, the page itself is kept there.
"""

import datetime
import sys
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

import slipform as sf

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.browser import chromium

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "trace.png"
MAIL = (
    "Hi, my name is Priya Nair. I was charged twice for order SO-20094: 49.90 EUR on 3 November 2026, and the same "
    "amount again a day later. Please send the second charge back. It would help me to have the money this week."
)


class Ticket(BaseModel):
    customer: str
    order_id: str | None
    category: Literal["billing", "technical", "shipping", "returns"]
    urgency: Literal["low", "medium", "high"]


class Charge(BaseModel):
    amount: float
    currency: Literal["EUR", "USD", "GBP"]
    date: datetime.date


class Wish(BaseModel):
    wants: Literal["refund", "replacement", "information"]
    deadline: Literal["today", "this week", "none"]


@sf.function
def triage(s: sf.ProgramState, mail: str) -> None:
    """Read one mail in four ways at once, the last of them twice."""
    s += sf.user_begin() + mail + "\n\n"
    ticket, charge, mood, wish = s.fork(4)
    ticket += "Extract the ticket as JSON." + sf.user_end()
    ticket += sf.assistant(sf.gen("ticket", schema=Ticket, temperature=0))
    charge += "Extract the first charge as JSON." + sf.user_end()
    charge += sf.assistant(sf.gen("charge", schema=Charge, temperature=0))
    mood += "How does the customer sound? Options: calm, annoyed, angry" + sf.user_end()
    mood += sf.assistant(sf.select("mood", ["calm", "annoyed", "angry"]))
    wish += "Extract what the customer wants as JSON." + sf.user_end()
    tries = wish.fork(2)
    tries += sf.assistant(sf.gen("wish", schema=Wish, temperature=1.5))


def main() -> None:
    with sf.Engine() as engine, tempfile.TemporaryDirectory() as folder:
        triage.run(mail=MAIL, backend=engine, trace="full")  # the first run of all compiles kernels
        engine.flush_cache()
        trace = triage.run(mail=MAIL, backend=engine, trace="full", seed=7).trace
        page_path = trace.save(sys.argv[1] if len(sys.argv) > 1 else Path(folder) / "trace.html")
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 1200}, device_scale_factor=1.25)
            page.goto(page_path.resolve().as_uri())
            page.locator("#tree .branch").nth(1).click()
            page.wait_for_selector("#text[data-drawn]")
            page.locator("#text .t.forced", has_text="order").hover()
            page.screenshot(path=PICTURE)
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} kB")
    print(trace)


if __name__ == "__main__":
    main()
