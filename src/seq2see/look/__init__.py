"""Opening a model: what passes inside it, and what changes when that is changed.

Everything is done by PyTorch's forward hooks on the network's taps (`seq2see.nn.tap.Tap`), whose
module names are the values' names. Hooks act only in the thread that set them, and are taken away
again however a block ends.
"""
