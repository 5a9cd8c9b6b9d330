"""Plots of tables: points, lines and bars with their intervals, and curves of metrics with bands.

What is drawn is computed without matplotlib. Only `drawing` imports it, and is itself imported when something is drawn.
"""
