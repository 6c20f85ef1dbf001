"""langchain-openai: structured output by both methods, and a stream."""

from typing import Literal

from langchain_openai import ChatOpenAI
from pydantic import SecretStr
from ticket import BASE_URL, QUESTION, Ticket, show

model = ChatOpenAI(model="slipform", base_url=BASE_URL, api_key=SecretStr("none"), temperature=0)
methods: tuple[Literal["json_schema", "function_calling"], ...] = ("json_schema", "function_calling")
for method in methods:
    show(method, model.with_structured_output(Ticket, method=method).invoke(QUESTION))
assert "".join(str(chunk.content) for chunk in model.stream(QUESTION))
