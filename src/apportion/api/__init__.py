"""The REST API: everything that the pages do, for programs, over the same acts and the same reach.

Takes requests with a token or a session, gives JSON; refuses with problem documents. Never writes the books itself.
"""
