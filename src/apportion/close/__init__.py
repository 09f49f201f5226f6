"""The month, for library users, tests and what-if: allocate → statements → journal → tie-out → seal.

Takes a workspace and a billing period, gives each stage's result as a value. Never imports Django and never
prints; faces do.
"""
