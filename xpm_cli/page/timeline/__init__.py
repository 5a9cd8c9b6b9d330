"""The timeline: what ran where, when, and what jobs waited for; and its picture.

Owns: which of events, index and server is believed, and what of it is kept between requests. `lanes` and `picture` read
nothing.
"""
