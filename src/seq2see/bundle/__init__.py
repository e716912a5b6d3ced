"""A trained model as a folder that is safe to open: text, numbers, and no code."""
