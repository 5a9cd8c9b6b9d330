"""`python -m xpm_worker` is `xpm-worker`."""

from xpm_worker.cli import main

if __name__ == "__main__":
    main(prog_name="xpm-worker")
