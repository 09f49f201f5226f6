"""What recipients and controllers do with an issued document: accept, dispute, comment, decide, give more time.

Asks `review` (the pure rules) what may happen; what a decision moves is issued as notes, by `actions.close.numbering`.
"""
