"""The questions of a lecture on attention, in its order; each module holds one `STUDY`."""
