"""The close of a period in the books: data complete, allocated, issued, tied out and sealed; and what stands about it.

Takes the results of the core's `close` and `tie_out`, writes documents with their numbers. Never decides a dispute and
posts nothing: `actions.review` and `actions.post` do.
"""
