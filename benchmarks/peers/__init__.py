"""seq2see beside other toolkits on one machine: the same ids, turn by turn.

`python -m peers` (with `benchmarks` on the path) is the contest; `peers.runners` holds what runs in
each toolkit's own Python and therefore imports nothing else of this package.
"""
