"""Statements as people and programs read them: JSON, CSV, text for a terminal, HTML for a browser and for paper.

Each module is one format and a pure function from a `Statement` to text: same statement, same bytes, on every
machine. JSON is also read back.
"""
