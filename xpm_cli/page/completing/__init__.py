"""Completion in the filter box: what can come next in a filter, from the names and values that jobs really have.

Owns: what is proposed. The browser's part is assets/filter.js.
"""
