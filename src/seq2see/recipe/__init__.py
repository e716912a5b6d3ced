"""The composition root: a recipe becomes a tokenizer, a network, and a training run."""
