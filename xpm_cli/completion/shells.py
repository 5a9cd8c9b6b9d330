"""How bash, zsh and fish ask for words, and get them: scripts to be loaded, and the answer of the program.

The program is called with a variable that names the shell, as click does it. It answers with one word a line: its kind,
the word, and what it means, with tabs between. Owns: these scripts. In contrast to those of click, they complete words
with `=` and `:` in bash, put no blank after `name=`, and never print an error.
"""

from __future__ import annotations

import os
from typing import Any

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, split_arg_string

from xpm_cli.completion.candidates import candidates
from xpm_cli.completion.command_table import command_table
from xpm_cli.completion.values import Candidate

BASH = """\
# Completion for %(prog_name)s in bash. To load it in each new shell, add this line to ~/.bashrc:
#
#     eval "$(%(prog_name)s completion bash)"
#
# A shell starts faster if it reads a file. This writes one, which the package bash-completion loads when it is needed:
#
#     mkdir -p ~/.local/share/bash-completion/completions
#     %(prog_name)s completion bash > ~/.local/share/bash-completion/completions/%(prog_name)s

%(complete_func)s() {
    local kind word text parts=1
    COMPREPLY=()
    while IFS=$'\\t' read -r kind word text; do
        [[ -n $word ]] || continue
        case $kind in
            dir) compopt -o plusdirs 2>/dev/null; parts=0 ;;
            file) compopt -o default 2>/dev/null; parts=0 ;;
            part) COMPREPLY+=("$word") ;;
            *) COMPREPLY+=("$word"); parts=0 ;;
        esac
    done < <(%(complete_var)s=bash_complete COMP_LINE="${COMP_LINE:0:COMP_POINT}" \\
        COMP_WORD="${COMP_WORDS[COMP_CWORD]}" "$1" 2>/dev/null)
    if ((parts)); then compopt -o nospace 2>/dev/null; fi
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null || complete -F %(complete_func)s %(prog_name)s
"""

ZSH = """\
#compdef %(prog_name)s
# Completion for %(prog_name)s in zsh. To load it in each new shell, add these lines to ~/.zshrc, after compinit:
#
#     autoload -Uz compinit && compinit
#     eval "$(%(prog_name)s completion zsh)"
#
# A shell starts faster if it reads a file. This writes one, into a folder that must stand in fpath before compinit:
#
#     %(prog_name)s completion zsh > ~/.zfunc/_%(prog_name)s

%(complete_func)s() {
    local kind word text files
    local -a words_found parts_found
    while IFS=$'\\t' read -r kind word text; do
        [[ -n $word ]] || continue
        case $kind in
            dir) files=-/ ;;
            file) files=-f ;;
            part) parts_found+=("${word//:/\\\\:}${text:+:$text}") ;;
            *) words_found+=("${word//:/\\\\:}${text:+:$text}") ;;
        esac
    done < <(%(complete_var)s=zsh_complete COMP_LINE="${(pj:\\n:)${(@Q)words[1,CURRENT]}}" $words[1] 2>/dev/null)
    (( $#words_found )) && _describe -V %(prog_name)s words_found
    (( $#parts_found )) && _describe -V %(prog_name)s-parts parts_found -S ''
    if [[ -n $files ]]; then _path_files $files; fi
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

FISH = """\
# Completion for %(prog_name)s in fish. This writes it where each new shell finds it:
#
#     %(prog_name)s completion fish > ~/.config/fish/completions/%(prog_name)s.fish
#
# To load it in this shell alone: %(prog_name)s completion fish | source

function %(complete_func)s
    set -lx %(complete_var)s fish_complete
    set -lx COMP_LINE (commandline -cp | string collect)
    for row in (%(prog_name)s 2>/dev/null)
        set -l parts (string split -m 2 \\t -- $row)
        switch $parts[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case '*'
                printf '%%s\\t%%s\\n' $parts[2] "$parts[3]"
        end
    end
end
complete -c %(prog_name)s -f -k -a '(%(complete_func)s)'
"""


class Shell(ShellComplete):
    """Completion in a shell. The subclasses know how their shell cuts the line into words."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the incomplete one, and that one."""
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)
        incomplete = words.pop() if words and not line.endswith((" ", "\t")) else ""
        while words and "=" in words[0]:  # variables that are set for this command
            del words[0]
        return words[1:], incomplete

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        """The words that can take the place of the incomplete one."""
        found = candidates(command_table(self.cli), args, incomplete)  # type: ignore[arg-type]  # the program is a group
        return [self.item(each, incomplete) for each in found]

    def item(self, candidate: Candidate, incomplete: str) -> CompletionItem[Any]:
        """A word in click's form."""
        return CompletionItem(candidate.word, candidate.kind, candidate.text)

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """The line for a word."""
        return f"{item.type}\t{item.value or '-'}\t{' '.join((item.help or '').split())}"

    def complete(self) -> str:
        """The answer. An error of any kind is none of the user's who types."""
        try:
            return super().complete()
        except Exception:  # the edge of the process: there is nowhere to print an error
            return ""


class Bash(Shell):
    """Bash cuts words at `=` and `:`, and replaces only the last part."""

    name = "bash"
    source_template = BASH

    def item(self, candidate: Candidate, incomplete: str) -> CompletionItem[Any]:
        """A word without what bash does not replace."""
        part = os.environ.get("COMP_WORD", incomplete)
        if part and set(part) <= set("=:"):
            part = ""
        kept = len(incomplete) - len(part) if incomplete.endswith(part) else 0
        return CompletionItem(candidate.word[kept:], candidate.kind, candidate.text)


class Zsh(Shell):
    """Zsh sends its words one a line."""

    name = "zsh"
    source_template = ZSH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the incomplete one, and that one."""
        words = os.environ.get("COMP_LINE", "").split("\n")
        return words[1:-1], words[-1]


class Fish(Shell):
    """Fish sends the line up to the cursor."""

    name = "fish"
    source_template = FISH


SHELLS = {each.name: each for each in (Bash, Zsh, Fish)}


def register() -> None:
    """Let click use these."""
    for each in SHELLS.values():
        add_completion_class(each)
