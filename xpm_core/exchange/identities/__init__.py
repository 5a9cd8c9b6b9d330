"""Identities computed anew from payloads alone, without importing any class.

Owns: what of an identity a payload shows, and what has to be guessed. May import `language` and `wire`.
"""
