"""What was accepted on its way into the ledger: journals, their approval, files and pushes, e-invoices, and the proof.

Takes issued documents, gives `ledger` and `post` what they need, and keeps what became of it. Speaks to no ledger
itself: `post.erp` does.
"""
