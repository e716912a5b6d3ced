"""Controlled experiments on sequence-to-sequence models: one question each, answered by figures.

A study says what it asks, what is varied and what is held fixed, what it expects, how a trained
model is measured, and what the figures have to show. All else is the same for every study: the data
are drawn, the models trained, the measurements kept, the table, the picture and the page made.
"""
