"""The colour that a visitor paints with."""

import re

from demo.service.settings import UserError, number


def read_colour(value) -> tuple[int, int, int]:
    """The colour of a picker, "#rrggbb" or "rgb(a)(r, g, b …)", whatever it is. Raises UserError."""
    text = value[:60].strip() if isinstance(value, str) else ""
    if found := re.fullmatch(r"#([0-9a-fA-F]{6})", text):
        return tuple(bytes.fromhex(found[1]))
    if found := re.fullmatch(r"rgba?\(\s*([\d.]+)\s*,\s*([\d.]+)\s*,\s*([\d.]+)\s*(?:,[^)]*)?\)", text):
        return tuple(round(number(part, 0, 255, 0)) for part in found.groups())
    raise UserError("Choose a colour first.")
