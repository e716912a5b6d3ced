"""The training loop: batches in, a trained network out, and nothing lost on the way."""
