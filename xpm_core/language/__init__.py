"""The language of scripts: from the body of a class to the digest of a configuration.

Its rooms, from the ground: `graph`, `values`, `parameters`, then `classes` and `code`, then `identity`, then
`dict_form`. Knows neither server, store nor experiment.
"""
