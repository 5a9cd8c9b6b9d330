"""Names of secrets, and secrets, for hypothesis. `from helpers.secret_words import names, values`."""

from __future__ import annotations

import string

from hypothesis import strategies as st

_WORDS = ["KEY", "token", "Secret", "password", "PASSWD", "credential", "auth", "Bearer", "passphrase"]
around = st.text(string.ascii_letters + string.digits + "_-.", max_size=8)
names = st.builds(lambda before, word, after: before + word + after, around, st.sampled_from(_WORDS), around)
values = st.builds(lambda rest: f"S3cr3t{rest}", st.text(max_size=20))
"""A value begins so that it is not in the rest of an argument by chance."""
