"""Where cost rows live: immutable deliveries on disk, a catalog that points to the current ones, and an engine.

Takes files and lookup tables, gives snapshots, totals and cubes. The only room that speaks to an engine; the
engine filters, groups and adds, and never divides.
"""
