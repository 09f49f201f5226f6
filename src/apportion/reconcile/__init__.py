"""Do the totals agree with the provider's own invoices?

Takes the totals of the loaded cost data and the provider's Invoice Detail where it was delivered; gives one
comparison for each provider invoice, with every difference named and judged against the FOCUS tolerance.
Never changes an amount and never decides what happens to a difference: that is a person's act.
"""
