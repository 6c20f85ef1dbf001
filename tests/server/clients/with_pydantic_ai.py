"""pydantic-ai: output by schema and by tool."""

from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from ticket import BASE_URL, QUESTION, Ticket, show

model = OpenAIChatModel("slipform", provider=OpenAIProvider(base_url=BASE_URL, api_key="none"))
for output in (NativeOutput(Ticket), ToolOutput(Ticket)):
    agent = Agent(model, output_type=output, model_settings={"temperature": 0.0, "max_tokens": 150}, retries=0)
    show(type(output).__name__, agent.run_sync(QUESTION).output)
