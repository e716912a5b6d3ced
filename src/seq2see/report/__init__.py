"""A report about one trained model: pages of figures with their numbers, in one HTML file.

A page is made of plain records (`seq2see.report.view`) that hold its data and say how to draw them;
`seq2see.report.html` writes them into a file that needs no network.
"""
