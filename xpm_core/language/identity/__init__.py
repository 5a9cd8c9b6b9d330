"""Identities: sealing a configuration, its digest, and how two identities differ.

May import every room of the language but `dict_form`.
"""
