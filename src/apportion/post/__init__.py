"""Statements become journals: the cost transfer from the payer to the cost groups, ready for a ledger.

Takes statements and the payer's accounts; gives a `Journal` of balanced entries and its texts, each of which is
read back to the same journal. Never rounds, never posts what nobody owns, and never talks to a ledger itself.
"""
