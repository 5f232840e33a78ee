"""docs/api.md, the reference of the public names, made from their docstrings: `python -m pixelcnn_core.cards.api`."""

import ast
import dataclasses
import inspect
import textwrap
from pathlib import Path

import pixelcnn_core
from pixelcnn_core.cards.card import write_page

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
HEAD = """# The public names

Made from the docstrings by `python -m pixelcnn_core.cards.api`. Each name is imported from the package, as
`from pixelcnn_core import Chain`. What a class has from another one of this page stands there.

```text
{overview}
```
"""


def api_page() -> str:
    """The whole page: every name of `pixelcnn_core.__all__`, classes with their public methods."""
    parts, seen = [HEAD.format(overview=inspect.getdoc(pixelcnn_core))], set()
    for name in pixelcnn_core.__all__:
        thing = getattr(pixelcnn_core, name)
        parts.append(entry(f"## {name}", declaration(name, thing), thing))
        if inspect.isclass(thing):
            new = {method: function for method, function in methods(thing).items() if function not in seen}
            seen |= set(new.values())
            parts += [entry(f"### {name}.{method}", declaration(method, function), function)
                      for method, function in new.items()]
    return "\n".join(parts)


def entry(title: str, declared: str, thing) -> str:
    return f"{title}\n\n```python\n{declared}\n```\n\n```text\n{inspect.getdoc(thing)}\n```\n"


def declaration(name: str, thing) -> str:
    """How it is written in the source: the fields of a dataclass with their comments; else name and parameters."""
    if inspect.isclass(thing) and dataclasses.is_dataclass(thing):
        lines = inspect.getsource(thing).splitlines()
        return "\n".join([f"{name}:", *(line for line in lines if line.startswith("    ") and ": " in line.split("#")[0]
                                        and line.split(":")[0].strip() in thing.__dataclass_fields__)])
    function = vars(thing).get("__init__") if inspect.isclass(thing) else thing
    if function is None:
        return f"{name}(message)"  # an exception
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    arguments = [part for part in ast.unparse(tree.args).split(", ") if part not in ("self", "cls")]
    returned = f" -> {ast.unparse(tree.returns)}" if tree.returns and not inspect.isclass(thing) else ""
    text = f"{name}({', '.join(arguments)}){returned}"
    return "\n".join(textwrap.wrap(text, 110, subsequent_indent=" " * (len(name) + 1), break_long_words=False))


def methods(cls: type) -> dict[str, object]:
    """The public methods that a class or one of its bases in this package defines, in the order of their definition."""
    found = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("pixelcnn_core"):
            functions = {name: getattr(value, "__func__", value) for name, value in vars(base).items()
                         if not name.startswith("_")}
            found |= {name: function for name, function in functions.items()
                      if inspect.isfunction(function) and inspect.getdoc(function)}
    return found


if __name__ == "__main__":
    write_page(PAGE, api_page())
