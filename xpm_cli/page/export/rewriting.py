"""A page of the application as a file: links lead to files, and what needs the server is left out.

Owns: what is left out. A script, a form, a button and a link that leads to no file have no place in a copy. Texts stay
as the templates have escaped them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser

from xpm_cli.page.export.files import Files, relative

DROPPED = frozenset({
    "script", "noscript", "button", "select", "textarea", "label", "template", "datalist", "dialog", "iframe", "object",
})  # fmt: skip
"""Elements that are left out with all that is in them."""
UNWRAPPED = frozenset({"form", "fieldset"})
"""Elements of which only what is in them stays."""
VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
VOID_DROPPED = frozenset({"input", "base", "embed"})
LINKS = ("href", "src", "xlink:href")
_STARTS = ("data-", "hx-", "on")

Attributes = Sequence[tuple[str, str | None]]


def rewritten(text: str, place: str, files: Files, notice: str) -> str:
    """A page as a file.

    Args:
        text: The page.
        place: The file that it becomes.
        files: All files.
        notice: What is said above its content; plain text.
    """
    parser = _Rewriter(place, files, notice)
    parser.feed(text)
    parser.close()
    return "".join(parser.out)


class _Rewriter(HTMLParser):
    def __init__(self, place: str, files: Files, notice: str) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._place, self._files, self._notice = place, files, notice
        self._dropped: list[str] = []
        """Elements that are open, from the one on that is left out."""
        self._links: list[str] = []
        """What each link that is open has become: a, span, or nothing."""
        self._nav = self._pictures = 0

    # -- elements --------------------------------------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropped:
            if tag not in VOID:
                self._dropped.append(tag)
        elif tag in DROPPED:
            self._dropped.append(tag)
        elif tag == "a":
            self._open_link(attrs)
        elif not (tag in UNWRAPPED or tag in VOID_DROPPED or self._is_useless(tag, attrs)):
            if tag == "main":
                self.out.append(f'<p class="notice">{escape(self._notice)}</p>\n')
            self._nav += tag == "nav"
            self._pictures += tag == "svg"
            self._write(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._dropped:
            if tag in self._dropped:
                while self._dropped.pop() != tag:
                    pass
        elif tag == "a":
            if self._links and (became := self._links.pop()):
                self.out.append(f"</{became}>")
        elif tag not in UNWRAPPED and tag not in VOID and tag not in DROPPED:
            self._nav -= tag == "nav"
            self._pictures -= tag == "svg"
            self.out.append(f"</{tag}>")

    def _open_link(self, attrs: Attributes) -> None:
        """A link to a file stays a link. A button, and a name of a view, go with what they lead to."""
        given = dict(attrs)
        url = given.get("href") or ""
        if url.startswith("#") or self._files.of_url(url):
            self._links.append("a")
            self._write("a", attrs)
        elif self._nav or "button" in (given.get("class") or "").split():
            self._dropped.append("a")
        else:
            became = "g" if self._pictures else "span"  # no browser knows a span in a picture
            self._links.append(became)
            self._write(became, [(name, value) for name, value in attrs if name in ("class", "title", "id")])

    def _is_useless(self, tag: str, attrs: Attributes) -> bool:
        """Whether a head or a picture has nothing without the server."""
        given = dict(attrs)
        if tag == "meta":
            return "http-equiv" in given or (given.get("name") or "").startswith("xpm-")
        return tag in ("link", "img") and not self._files.of_url(given.get("href") or given.get("src") or "")

    def _write(self, tag: str, attrs: Attributes) -> None:
        kept = "".join(
            f" {name}" if value is None else f' {name}="{escape(value)}"'
            for name, value in map(self._kept, attrs)
            if name
        )
        self.out.append(f"<{tag}{kept}>")

    def _kept(self, attribute: tuple[str, str | None]) -> tuple[str, str | None]:
        """An attribute as it stays; without a name if it goes."""
        name, value = attribute
        if name in LINKS:
            url = value or ""
            if url.startswith("#"):
                return name, url
            _, hash_, fragment = url.partition("#")
            target = self._files.of_url(url)
            return (name, f"{relative(target, self._place)}{hash_}{fragment}") if target else ("", None)
        gone = name.startswith(_STARTS) or name in ("action", "formaction", "style", "srcset", "ping", "autofocus")
        return ("", None) if gone else (name, value)

    # -- texts -----------------------------------------------------------------------------------------------------

    def handle_data(self, data: str) -> None:
        self._text(data)

    def handle_entityref(self, name: str) -> None:
        self._text(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._text(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self._text(f"<!{decl}>")

    def _text(self, text: str) -> None:
        if not self._dropped:
            self.out.append(text)
