"""The daemon `xpm-worker`: it runs jobs. Job processes import parts of this package, so nothing is imported here."""
