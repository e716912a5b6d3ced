"""From files of pairs to batches: reading, checking, tokenizing, storing, batching."""
