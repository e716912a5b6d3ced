"""What runs in a toolkit's own Python: one module a toolkit, and the protocol they share.

Nothing here imports seq2see, but for the module that measures it.
"""
