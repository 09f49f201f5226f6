"""XML in and out: text that cannot become markup, and input that cannot do harm.

Journals need no document type, so a text with one is refused before it is parsed: no entities, no files of others.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from apportion.errors import BadValueError

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_TABLE = str.maketrans(_ESCAPES)


def escaped(text: str) -> str:
    """Text for an element or an attribute in double quotes."""
    return text.translate(_TABLE)


def parsed(content: bytes, what: str) -> Element:
    """The root element, names as ``{namespace}name``.

    Raises `BadValueError` for what is not well-formed, and for a document type or entities, whatever they say.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    tree = TreeBuilder()

    def refused(*_: object) -> None:
        raise BadValueError(f"The XML of the {what} declares a document type, which a journal never does.")

    def named(name: str) -> str:
        return f"{{{name}" if "}" in name else name

    def start(name: str, attributes: dict[str, str]) -> None:
        tree.start(named(name), {named(key): value for key, value in attributes.items()})

    parser.StartDoctypeDeclHandler = refused
    parser.EntityDeclHandler = refused
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: tree.end(named(name))
    parser.CharacterDataHandler = tree.data
    parser.buffer_text = True
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise BadValueError(f"The XML of the {what} cannot be read ({error}).") from error
    return tree.close()
