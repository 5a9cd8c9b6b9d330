"""Finding out what is wrong with a workspace, its server, its workers and its jobs, and mending it from the truth.

`checks` lists the checks. A check yields findings, each with its remedy, and with the way to mend it if there is one.

Owns: what counts as a fault, and the marks by which workers show which directory they see. May import all rooms but
`click` and the plugin of pytest.
"""
