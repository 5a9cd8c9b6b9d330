"""`python -m xpm_worker` is the same as `xpm-worker`."""

from xpm_worker.cli import main

if __name__ == "__main__":
    main(prog_name="xpm-worker")
