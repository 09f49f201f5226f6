"""Documents become journals: cost transfers and every other entry of the cloud bill, ready for a ledger.

Takes statements or issued documents, providers' bills, commitments, rates and the ledger's accounts; gives balanced
entries, a `Journal` and its texts, each of which is read back to the same journal. A function makes an entry and
nothing else: no clock, no database. Never posts showback as money, never rounds without a visible line, and never
posts what nobody owns to anybody.
"""
