"""Names of secrets, and secrets, for hypothesis. `from helpers.secret_words import names, values`."""

from __future__ import annotations

import string

from hypothesis import strategies as st

_WORDS = [
    "KEY",
    "token",
    "Secret",
    "password",
    "PASSWD",
    "credential",
    "auth",
    "Bearer",
    "passphrase",
    "apikey",
    "accessToken",
]
around = st.text(string.ascii_letters + string.digits + "_-.", max_size=8)
_before = st.sampled_from(["", "db_", "my-", "API_", "hf.", "x1_", "wandb", "My"])
_after = st.sampled_from(["", "s", "2", "_1", "-b", "_of_the_lab", ".prod"])
names = st.builds(lambda before, word, after: before + word + after, _before, st.sampled_from(_WORDS), _after)
values = st.builds(lambda rest: f"S3cr3t{rest}", st.text(max_size=20))
"""A value begins so that it is not in the rest of an argument by chance."""
