"""Double-entry bookkeeping: balanced entries, reversed but never edited; and quantities, which are no money.

Takes postings in signed integer minor units (debit above zero, credit below), with their amount in the company's own
currency where there is one; gives entries that sum to zero in every company and currency, a book that only grows, and
an auditor that trusts neither. Knows nothing of clouds, statements or file formats.
"""
