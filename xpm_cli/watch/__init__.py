"""`xpm status --watch`: a screen that goes on showing a workspace, and takes keys.

Three threads: the main thread takes keys and draws (`watch`), a second one reads and makes pages (`desk`), a third one
waits for events (`listener`). So a key is answered at once also while the server is slow or away.

Owns: keys, the terminal, and what stands where on the screen. How jobs, tokens and reasons look is that of the other
commands. May import `xpm_cli.output` and what stands below it.
"""
