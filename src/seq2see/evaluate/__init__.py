"""Scores outputs against references: metrics, intervals and paired tests, on strings alone."""
