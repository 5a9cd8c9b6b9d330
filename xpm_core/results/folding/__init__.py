"""Tables folded over seeds and the like: one row for a configuration, with means, intervals, and holes that are named.

Rows that differ in any tag, parameter or task besides those that are folded are never in one cell. May import the
columns and the statistics. Rows come in as `Line`, so it does not know tables.
"""
