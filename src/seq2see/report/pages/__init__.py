"""The pages of a report, one module each, with one function `page` that makes it or says why not.

Each asks one question, answers it from this run, and says what the answer does not mean.
"""
