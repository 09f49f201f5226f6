"""The FOCUS vocabulary and its rules: columns by version, what each must hold, and what a breach means.

Takes column names and types, gives versions, checks and findings as values. Never reads a file.
"""
