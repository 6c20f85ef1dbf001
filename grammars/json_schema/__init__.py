"""JSON Schema to grammar: reading, normalising, and building rules."""
