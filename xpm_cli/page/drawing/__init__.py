"""Pictures that the page draws itself: where things stand in them, and their SVG.

Owns: the escaping of SVG (`svg.py`, and nothing else, may say that a text is safe). It reads nothing.
"""
