"""The network: attention, recurrence, and what stands around them.

Shapes are `[row, position, feature]`: a row is one sentence of a batch. Masks are True where a
query may look. Every value worth seeing passes through a `Tap`, whose module name is the value's
name.
"""
