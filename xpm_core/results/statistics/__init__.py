"""Statistics of a few runs: summaries with intervals, comparisons, and aggregates over tasks.

Numbers alone go in and come out: no job, no table, no text for a terminal. All is computed by the standard library.
Equal values give equal results, on every machine, in whatever order they come, and with every Python.

Two rules hold in the whole room. Numbers never raise an error: where a result cannot be had, it is missing, and `note`
says why. Arguments that make no sense, such as a level of 95 or a text among the numbers, raise `ResultsError`.

Owns: the formulas. docs/reference/statistics.md names each with its reason. May import the errors only.
"""
