"""The hot operations, each with a plain-torch reference."""
