"""The methodology document as HTML, Markdown and PDF.

Takes a `Document`, gives text or bytes. What stands in a policy comes out as text in each of them, whatever it holds.
"""
