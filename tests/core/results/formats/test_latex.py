"""Tables in LaTeX: what each number is written as, where it comes from, and that it compiles."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.result_jobs import FakeJob, table
from helpers.sheets import hostile_sheet, plain_sheet

from xpm_core.errors import ResultsError
from xpm_core.results.folding.folded import Folded
from xpm_core.results.formats.latex import as_latex
from xpm_core.results.formats.sheet import Sheet, Span
from xpm_core.results.table import Table
from xpm_core.states import State

VALUES = {
    "mlp": [0.91, 0.92, 0.90, 0.93, 0.90],
    "svm": [0.905, 0.92, 0.91, 0.925, 0.9],
    "knn": [0.1, 0.2, 0.1, 0.3, 0.2],
}


def models() -> list[FakeJob]:
    return [
        FakeJob({"model": model, "seed": seed}, {"accuracy": value, "loss": 1 - value, "steps": 100})
        for model, values in VALUES.items()
        for seed, value in enumerate(values)
    ]


def with_holes() -> Table:
    kept = [job for job in models() if (job.params["model"], job.params["seed"]) not in {("knn", 3), ("knn", 4)}]
    running = FakeJob({"model": "knn", "seed": 3}, {}, State.RUNNING)
    failed = FakeJob({"model": "knn", "seed": 4}, {}, State.FAILED)
    return table([*kept, running, failed, FakeJob({"model": "new", "seed": 0}, {}, State.RUNNING)])


def folded() -> Folded:
    return with_holes().over("seed").select("accuracy")


def rows(latex: str) -> list[list[str]]:
    """The cells of the rows between the rules. It fails where a row has another number of columns than the head."""
    form = re.search(r"\\begin\{tabular\}\{(.*)\}\n", latex)
    assert form
    count = len(re.sub(r"@\{.*?\}", "", form[1]))
    body = latex.split("\\midrule\n")[1].split("\\bottomrule")[0]
    found = []
    for line in re.findall(r"^ *([^%\s].*) \\\\$", body, re.M):
        cells = re.split(r"(?<!\\)&", line)
        across = [int(each) - 1 for each in re.findall(r"\\multicolumn\{(\d)\}", line)]
        assert len(cells) + sum(across) == count, line
        found.append([cell.strip() for cell in cells])
    return found


def balanced(latex: str) -> bool:
    """Whether the braces that are no text are closed."""
    depth = 0
    for each in re.findall(r"\\.|[{}]", re.sub(r"(?m)(?<!\\)%.*$", "", latex)):
        depth += {"{": 1, "}": -1}.get(each, 0)
        if depth < 0:
            return False
    return depth == 0


def test_numbers_meet_at_the_decimal_point_with_the_digits_of_their_intervals() -> None:
    found = as_latex(folded().sheet(), "Four models", "tab:models")
    assert r"\begin{tabular}{lr@{.}l}" in found
    assert rows(found)[:2] == [
        ["mlp", "0", r"912 $\pm$ 0.016"],
        ["svm", "0", r"912 $\pm$ 0.013"],
    ]
    assert r"\caption{Four models. Mean and 95 \% t interval over 3 to 5 seeds.}" in found
    assert r"\label{tab:models}" in found


def test_holes_have_footnotes_that_name_them() -> None:
    found = folded().to_latex()
    failed = folded()[2].holes[1].job[:7]
    assert rows(found)[2][2].endswith(r"\textsuperscript{a}")
    assert rows(found)[3] == ["new", r"\multicolumn{2}{c}{--\textsuperscript{b}}"]
    assert rf"\textsuperscript{{a}} model=knn: 3 of 5 seeds (1 running, 1 failed: {failed})\par" in found
    assert "there are no values" not in found
    assert r"\textsuperscript{b} model=new: 0 of 5 seeds (1 running, 4 missing: seed=1 seed=2 seed=3 seed=4)" in found


def test_a_comment_for_each_cell_names_jobs_and_code() -> None:
    cells = with_holes().over("seed")
    found = cells.to_latex()
    jobs = " ".join(job[:7] for job in cells[0]["accuracy"].jobs)
    assert f"% accuracy: {jobs}, code 8c1f2e000000\n" in found
    assert f"% loss: {jobs}, code 8c1f2e000000\n" in found
    assert as_latex(plain_sheet()).count("% row: 3f2a91c, code 8c1f2e000000\n") == 1


def test_bold_is_the_best_and_what_is_not_distinguishable_from_it() -> None:
    cells = table(models()).over("seed").select("accuracy", "loss")
    found = cells.to_latex(bold=["accuracy", "-loss"])
    bold = [[cell for cell in row if "textbf" in cell] for row in rows(found)]
    assert [len(row) for row in bold] == [4, 4, 0]
    assert bold[0][:2] == [r"\textbf{0}", r"\textbf{912} $\pm$ 0.016"]
    assert "Bold: the best, and what is not distinguishable from it by t tests" in found
    assert "textbf" not in cells.to_latex()
    with pytest.raises(ResultsError, match="Fold what was repeated"):
        table(models()).to_latex(bold="accuracy")


def test_a_pivot_has_bold_cells_and_the_jobs_of_each_place() -> None:
    jobs = [FakeJob({**job.params, "data": data}, job.results) for job in models() for data in ("a", "b")]
    cells = table(jobs).over("seed")
    pivot = cells.pivot("model", "data", "accuracy")
    found = pivot.to_latex()
    bold = [r"\textbf{0}", r"\textbf{912} $\pm$ 0.013"]
    assert rows(found)[1] == ["svm", *bold, *bold]
    assert f"% b: {' '.join(job[:7] for job in pivot[0]['b'].jobs)}, code" in found
    assert r"\caption{Mean and 95 \% t interval of accuracy over 5 seeds. Bold: the best of each column, and" in found
    assert r"\multicolumn{4}{c}{data} \\" in found
    lacking = table([job for job in jobs if (job.params["model"], job.params["data"]) != ("knn", "b")])
    assert "model=knn: no job with data=b" in lacking.over("seed").pivot("model", "data", "accuracy").to_latex()
    single = table([job for job in jobs if job.params["seed"] == 0]).pivot("model", "data", "accuracy")
    assert rows(single.to_latex())[0] == ["mlp", "0", "91", "0", "91"]
    assert f"% a: {jobs[0].identity[:7]}, code 8c1f2e000000\n" in single.to_latex()


def test_whole_numbers_negative_ones_exponents_and_nan() -> None:
    values = [[12, -3.25, 1e-12], [3456, 7, 1.5], [None, float("nan"), float("-inf")]]
    sheet = Sheet(["n", "x", "y"], values, bold={(1, 1)})
    assert rows(as_latex(sheet)) == [
        ["12", "$-$3", "25", r"\multicolumn{1}{r@{\phantom{.}}}{1}", r"$\times10^{-12}$"],
        ["3456", r"\multicolumn{1}{r@{\phantom{.}}}{\textbf{7}}", "", "1", "5"],
        [r"--\textsuperscript{a}", r"\multicolumn{2}{c}{nan}", r"\multicolumn{2}{c}{-inf}"],
    ]


def test_parameters_keep_all_their_digits() -> None:
    sheet = Sheet(["lr", "big", "accuracy"], [[0.00012345, 1e-05, 0.123456], [0.5, 3, 1]], labels=2)
    assert rows(as_latex(sheet))[0] == ["0", "00012345", "1e-05", "0", "1235"]


def test_numbers_stay_where_another_cell_of_their_column_is_a_text() -> None:
    jobs = [
        FakeJob({"lr": lr, "seed": seed}, {"f1": -lr - seed if lr < 3 else "oom"}) for lr in (1, 3) for seed in range(3)
    ]
    waiting = FakeJob({"lr": 4, "seed": 0}, {}, State.WAITING)
    found = table([*jobs, waiting]).over("seed")
    assert [row[1] for row in rows(found.to_latex())[:2]] == [r"$-$2 $\pm$ 2", "oom"]
    assert rows(found.to_latex())[2][1].startswith("--\\text")


def test_an_exponent_is_set_as_one_in_the_interval_too() -> None:
    jobs = [FakeJob({"lr": 1, "seed": seed}, {"f1": (1 + seed / 10) * 1e-12}) for seed in range(5)]
    spread = rows(table(jobs).over("seed").to_latex())[0][-1].partition("$\\pm$ ")[2]
    assert re.fullmatch(r"2(\.0)?\$\\times10\^\{-13\}\$", spread)
    ranged = table(jobs).over("seed", range=(-1, 1)).to_latex()
    assert "e-" not in "".join(rows(ranged)[0])
    holed = table([*jobs, FakeJob({"lr": 1, "seed": 9}, {}, State.RUNNING)]).over("seed").to_latex()
    assert r"}$\,\textsuperscript{a}" in holed


def test_a_footnote_says_how_many_jobs_it_does_not_name() -> None:
    jobs = [
        FakeJob({"seed": seed}, {"f1": 1.0} if seed < 3 else {}, State.DONE if seed < 3 else State.FAILED)
        for seed in range(11)
    ]
    assert re.search(r"3 of 11 seeds \(8 failed: (\w{7} ){5}and 3 more\)", table(jobs).over("seed").to_latex())


def test_texts_are_texts() -> None:
    found = as_latex(hostile_sheet(), "\\input{secret}", "tab:a b\\}%")
    assert len(rows(found)) == len(hostile_sheet().rows)
    assert balanced(found)
    assert r"\label{tab:a-b-}" in found
    assert r"\input" not in re.sub("(?m)^ *%.*$", "", found)
    assert r"\textbackslash{}input\{secret\}" in found


def test_a_table_without_rows_or_columns_is_one() -> None:
    assert r"\begin{tabular}{l}" in as_latex(Sheet([], []))
    assert r"\begin{table}" not in table(models()).to_latex(environment="")


def test_headings_above_headings_span_their_columns() -> None:
    sheet = Sheet(["model", "x", "y"], [["a", 0.5, 1]], labels=1, spans=[Span("R&D", 1, 2)])
    found = as_latex(sheet)
    assert r"     & \multicolumn{3}{c}{R\&D} \\" in found.replace(r"\multicolumn{1}{c}{}", " ")
    assert r"\cmidrule(lr){2-4}" in found


def test_latex_compiles(tmp_path: Path) -> None:
    if not shutil.which("pdflatex"):  # CI has none: its installation takes longer than the other tests of this room
        pytest.skip("no pdflatex")
    cells = table(
        [FakeJob({**job.params, "data": data}, job.results) for job in models() for data in ("a_b", "%")]
    ).over("seed")
    spans = Sheet(["a", "x", "y"], [["[b", 0.5, 1], ["*", 5, -1e-12]], labels=1, spans=[Span("R&D", 1, 2)])
    tables = [
        folded().to_latex(caption="%", label="tab:a", bold="accuracy"),
        cells.pivot("model", "data", "loss", lowest=True).to_latex(environment="table*"),
        cells.to_latex(bold=["accuracy", "-loss"], within="data"),
        as_latex(hostile_sheet(), "\\%$"),
        as_latex(spans),
        as_latex(plain_sheet(), environment=""),
        as_latex(Sheet([], [])),
    ]
    head = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
    (tmp_path / "paper.tex").write_text(head + "\n".join(tables) + "\\end{document}\n")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape", "-draftmode", "paper.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", env=os.environ)
    assert ran.returncode == 0, ran.stdout[-3000:]


def test_comparisons_are_written_with_what_their_sides_are() -> None:
    found = table(models()).select("accuracy").compare("model=mlp", "model=svm", over="seed", value="accuracy")
    latex = found.to_latex()
    assert "Differences are a (model=mlp) less b (model=svm): 95 \\% paired t. Adjusted: p by" in latex
    assert len(rows(latex)) == 1
    assert latex.count(", code 8c1f2e000000\n") == 3
    assert "difference.mean" in found.to_csv()
    with pytest.raises(ResultsError, match="no better than another"):
        found.to_latex(bold="a")
