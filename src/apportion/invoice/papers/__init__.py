"""A `Paper` as people take it away: PDF to read and to print, XLSX to calculate with, CSV for other programs.

Takes a `Paper` and a locale, and nothing else: no clock, no settings, no database. So the same paper gives the same
bytes. Settles nothing and adds nothing but subtotals of lines. Statements of a run, before there is a document, are
rendered next door in `invoice.render`.
"""
