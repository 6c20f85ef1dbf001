"""instructor, over response_format and over tools."""

import instructor
import openai
from ticket import BASE_URL, QUESTION, Ticket, show

client = openai.OpenAI(base_url=BASE_URL, api_key="none")
for mode in (instructor.Mode.JSON_SCHEMA, instructor.Mode.TOOLS):
    ticket = instructor.from_openai(client, mode=mode).chat.completions.create(
        model="slipform",
        response_model=Ticket,
        messages=[{"role": "user", "content": QUESTION}],
        temperature=0,
        max_tokens=150,
        max_retries=0,
    )
    show(mode.name, ticket)
