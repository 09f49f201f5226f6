"""What was planned: amounts by cost group and billing period.

Takes a CSV file and the cost groups that there are, gives `Budget` values in minor units and the digest of the file.
Never adds budgets of different currencies, and never compares them with anything: rooms above do.
"""
