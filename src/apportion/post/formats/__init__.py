"""The texts that a journal is handed over in: CSV for finance systems, JSON, and plain text for hledger and beancount.

Each module has `render` and `parse`, and `parse(render(journal)) == journal`. A reader refuses what its writer would
not have written, to the byte: a journal that was changed on its way is not taken.
"""
