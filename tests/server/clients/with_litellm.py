"""litellm: a schema as response_format, and a stream."""

import litellm
from ticket import BASE_URL, QUESTION, Ticket, show

call = {
    "model": "hosted_vllm/slipform",
    "api_base": BASE_URL,
    "api_key": "none",
    "messages": [{"role": "user", "content": QUESTION}],
    "temperature": 0,
    "max_tokens": 150,
}
answer = litellm.completion(**call, response_format=Ticket)
show("json_schema", Ticket.model_validate_json(answer.choices[0].message.content))
chunks = list(litellm.completion(**call, response_format=Ticket, stream=True))
text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
show("stream", Ticket.model_validate_json(text))
