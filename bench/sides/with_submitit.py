"""submitit's side: its local executor, as it is."""

import time
from typing import Any

import submitit
from side import main


def learn(index: int) -> None:
    """The job. Its cost is that of its imports."""
    from sklearn.linear_model import LogisticRegression

    LogisticRegression(C=1.0 + index)


def imports(folder: str, jobs: int) -> dict[str, Any]:
    """Run jobs that import scikit-learn; from submission to the last result."""
    executor = submitit.LocalExecutor(folder=folder)
    began = time.perf_counter()
    with executor.batch():
        submitted = [executor.submit(learn, index) for index in range(jobs)]
    for job in submitted:
        job.result()
    return {"seconds": time.perf_counter() - began}


if __name__ == "__main__":
    main(imports)
