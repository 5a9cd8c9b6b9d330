"""What xpm keeps behind a configuration, and how one configuration leads to others.

May import no other room of the language.
"""
