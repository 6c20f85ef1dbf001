"""The checkpoint that ships inside the package, and how it was made."""
