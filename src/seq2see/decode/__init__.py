"""From a network and sources to text: beam search, sampling, forced scoring."""
