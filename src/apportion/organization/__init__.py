"""Who pays, who answers, and how they are written in the ledger: the dated tree of cost groups.

Takes an organization file (YAML or CSV), gives `Organization`. Never knows of charges or rules.
"""
