"""Function calling: the model writes calls in the tools' own types, Python runs them.

slipform run examples/tools.py
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

import slipform as sf

FORECASTS = {"Oslo": "2 °C, snow", "Madrid": "19 °C, sunny", "Lisbon": "21 °C, windy"}
RATES = {"USD": 1.0, "EUR": 0.92, "GBP": 0.79, "SEK": 10.5, "INR": 83.0}


def get_weather(city: str) -> str:
    """Get the weather forecast for a city"""
    return f"{city}: {FORECASTS.get(city, 'no forecast')}"


def convert_currency(amount: int, source: str, target: str) -> str:
    """Convert an amount of money"""
    return f"{amount} {source} = {amount * RATES[target] / RATES[source]:.2f} {target}"


class WeatherArguments(BaseModel):
    city: Annotated[str, Field(max_length=30)]


class ConversionArguments(BaseModel):
    amount: Annotated[int, Field(ge=0, le=1_000_000)]
    source: Literal["USD", "EUR", "GBP", "SEK", "INR"]
    target: Literal["USD", "EUR", "GBP", "SEK", "INR"]


class GetWeather(BaseModel):
    name: Literal["get_weather"]
    arguments: WeatherArguments

    def __call__(self) -> str:
        return get_weather(self.arguments.city)


class ConvertCurrency(BaseModel):
    name: Literal["convert_currency"]
    arguments: ConversionArguments

    def __call__(self) -> str:
        return convert_currency(self.arguments.amount, self.arguments.source, self.arguments.target)


Calls = Annotated[list[GetWeather | ConvertCurrency], Field(max_length=2)]

TOOLS = """You call functions. Answer with a JSON list of calls, or [] if no function fits.
Tools:
get_weather(city: str): Get the weather forecast for a city
convert_currency(amount: int, source: str, target: str): Convert an amount of money"""


@sf.function
def tools(s, request):
    s += sf.system(TOOLS)
    s += sf.user(request)
    s += sf.assistant(sf.gen("calls", schema=Calls, temperature=0))
    s["results"] = [call() for call in s["calls"]]


ROWS = [
    {"request": "What's the weather like in Oslo?"},
    {"request": "Convert 250 EUR to SEK."},
    {"request": "Show me the weather for Madrid, and then convert 80 USD to INR"},
    {"request": "Good morning, how are you?"},
]


def main():
    for row, state in zip(ROWS, tools.run_batch(ROWS), strict=True):
        print(row["request"], "→", "; ".join(state["results"]) or "no call")


if __name__ == "__main__":
    main()
