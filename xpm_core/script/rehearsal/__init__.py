"""A dry run: what a script would do. Nothing is submitted, and no file is made.

Its modules: `rehearsal` takes the tasks, `facts` reads what is known of their jobs, `plan` says what would become of
them.
"""
