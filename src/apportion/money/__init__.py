"""Amounts, and the only place that divides them.

An amount is a Python integer: *units* of 10⁻¹⁸ of a currency's main unit while cost is allocated, *minor
units* (cents, yen, fils) in documents and books. Nothing here knows a float.
"""
