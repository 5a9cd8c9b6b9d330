"""The graph of configurations: the state behind each of them, the ways between them, and their tags.

May import no other room of the language.
"""
