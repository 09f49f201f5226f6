"""Double-entry bookkeeping: balanced entries, reversed but never edited.

Takes postings in signed integer minor units (debit above zero, credit below); gives entries that sum to zero in
every company and currency, and a book that only grows. Knows nothing of clouds, statements or file formats.
"""
