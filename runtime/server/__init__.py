"""The HTTP server: the OpenAI surface and Slipform's own routes, over an engine in a process of its own."""
