"""The web application: one module per screen, server-rendered, over the same acts as the API and the command line.

Takes requests, calls `actions` to change anything and `records.reach` to read anything, gives pages. Never writes the
books, and never asks a model for rows that somebody may not see.
"""
