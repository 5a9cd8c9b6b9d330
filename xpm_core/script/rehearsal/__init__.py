"""A dry run: what a script would do. Nothing is submitted, and no file is made.

Its modules: `rehearsal` takes the tasks, each of which becomes a `planned_job`. `facts` reads what is known of them and
of the workers, and `todays_code` what has become of their code. `plan` says what would become of them, and `obstacles`
what would be in their way.
"""
