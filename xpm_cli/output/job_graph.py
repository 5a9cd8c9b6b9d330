"""Which jobs need which: as a table, for Mermaid, for Graphviz, and for programs.

Owns: the nodes of a graph, their order, and how each form is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xpm_cli.output.terminal import Terminal, state
from xpm_core.labels import bare_class, short
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State
from xpm_core.words.text import plural

SINGLE = 50
"""Up to how many jobs a graph shows each one; above that, it shows tasks."""
NAMED = 4
"""How many needed jobs a line of the table names."""

FILLS = {
    State.WAITING: "#eeeeee", State.READY: "#eeeeee", State.DELAYED: "#ffe8b3", State.RUNNING: "#b3e5fc",
    State.DONE: "#c8e6c9", State.FAILED: "#ffcdd2", State.BLOCKED: "#ffe0b2", State.CANCELLED: "#e1bee7",
}  # fmt: skip


@dataclass
class Node:
    """A job, or all jobs of a task.

    Attributes:
        key: Names it in the graph.
        label: As people know it.
        states: How many jobs are in each state; None stands for a state that is not known.
        needs: The keys of the nodes that it needs.
        detail: The identity of a job; of a task, how many jobs it has.
    """

    key: str
    label: str
    states: Counter[State | None]
    needs: list[str]
    detail: str

    @property
    def standing(self) -> str:
        """Its state, or how many of its jobs are in which."""
        if sum(self.states.values()) == 1:
            return _word(next(iter(self.states)))
        return ", ".join(f"{count} {_word(each)}" for each, count in self.states.most_common())

    @property
    def worst(self) -> State | None:
        """The state that gives it its colour."""
        order = [State.FAILED, State.BLOCKED, State.CANCELLED, State.RUNNING, State.DELAYED, State.READY, State.WAITING]
        return next((each for each in order if self.states[each]), State.DONE if self.states[State.DONE] else None)


def nodes_of(
    rows: Sequence[JobRow], title: Callable[[JobRow], str], needs: Mapping[str, list[str] | None]
) -> list[Node]:
    """The nodes of a graph, those that are needed first.

    Args:
        rows: The jobs.
        title: How people call a job.
        needs: Which jobs each needs, as `View.needs` says it.
    """
    single = len(rows) <= SINGLE
    tasks = {} if single else task_names({row.task for row in rows if row.task})
    keys = {row.identity: row.identity if single else tasks.get(row.task or "", "?") for row in rows}
    nodes: dict[str, Node] = {}
    for row in rows:
        key = keys[row.identity]
        label = title(row) if single else key
        node = nodes.setdefault(key, Node(key, label, Counter(), [], short(row.identity) if single else ""))
        node.states[row.state] += 1
        node.needs += [each for need in needs.get(row.identity) or () if (each := keys.get(need)) is not None]
    for node in nodes.values():
        node.needs = list(dict.fromkeys(node.needs))
        node.detail = node.detail or plural(sum(node.states.values()), "job")
    return list(_in_order(nodes))


def task_names(tasks: Collection[str]) -> dict[str, str]:
    """What tasks are called: by their classes, or in full if classes of several modules have one name."""
    counts = Counter(map(bare_class, tasks))
    return {task: task if counts[bare_class(task)] > 1 else bare_class(task) or task for task in tasks}


def _in_order(nodes: Mapping[str, Node]) -> Iterator[Node]:
    """The nodes, each after those that it needs. A task may need itself, so a node is given once."""
    given: set[str] = set()
    for first in nodes:
        stack = [(first, False)]
        while stack:
            key, ready = stack.pop()
            if ready:
                yield nodes[key]
            elif key not in given:
                given.add(key)
                stack.append((key, True))
                stack += [(need, False) for need in reversed(nodes[key].needs)]


def table(nodes: Sequence[Node], terminal: Terminal) -> list[str]:
    """The lines of a table."""
    labels = {node.key: f"{node.label} {node.detail}" if node.key != node.label else node.label for node in nodes}
    head = ["ID", "STATE", "JOB"] if any(node.key != node.label for node in nodes) else ["JOBS", "STATE", "TASK"]
    rows = [[*head, "NEEDS"]]
    rows += [[node.detail, state(node.standing), node.label, _named(node.needs, labels)] for node in nodes]
    return terminal.table(rows)


def _named(needs: Sequence[str], labels: Mapping[str, str]) -> str:
    more = [f"and {len(needs) - NAMED} more"] if len(needs) > NAMED else []
    return ", ".join([*(labels[need] for need in needs[:NAMED]), *more]) or "-"


def mermaid(nodes: Sequence[Node]) -> Iterator[str]:
    """The lines of a flowchart for Mermaid. An arrow leads from what is needed to what needs it."""
    numbers = {node.key: f"n{number}" for number, node in enumerate(nodes)}
    yield "flowchart LR"
    for node in nodes:
        colour = f":::{node.worst.value}" if node.worst else ""
        text = "<br/>".join(map(_for_mermaid, (node.label, f"{node.detail} {node.standing}")))
        yield f'  {numbers[node.key]}["{text}"]{colour}'
    for need, key in _edges(nodes):
        yield f"  {numbers[need]} --> {numbers[key]}"
    for each in dict.fromkeys(node.worst for node in nodes if node.worst):
        yield f"  classDef {each.value} fill:{FILLS[each]},stroke:#555555,color:#000000"


def _for_mermaid(text: str) -> str:
    """A text as Mermaid takes it: characters that it would understand are named by their codes."""
    return "".join(each if each.isalnum() or each in " .,=_-/:+" else f"#{ord(each)};" for each in text)


def dot(nodes: Sequence[Node], name: str) -> Iterator[str]:
    """The lines of a graph for Graphviz, in the language DOT."""
    yield f"digraph {_for_dot(name)} {{"
    yield "  rankdir=LR;"
    yield '  node [shape=box, style="rounded,filled", fontname="sans-serif"];'
    for node in nodes:
        text = _for_dot(f"{node.label}\n{node.detail} {node.standing}")
        fill = FILLS[node.worst] if node.worst else "#ffffff"
        yield f'  {_for_dot(node.key)} [label={text}, fillcolor="{fill}"];'
    for need, key in _edges(nodes):
        yield f"  {_for_dot(need)} -> {_for_dot(key)};"
    yield "}"


def _for_dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _edges(nodes: Iterable[Node]) -> Iterator[tuple[str, str]]:
    return ((need, node.key) for node in nodes for need in node.needs)


def _word(each: State | None) -> str:
    return each.value if each else "unknown"
