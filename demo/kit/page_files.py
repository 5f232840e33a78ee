"""Files that the page is made of: the stored pictures that it opens with, kept in memory and served under their hash.

Inside the page they would be megabytes that a browser must read before it shows anything; as files they are fetched
when their tab opens, and once. Only what belongs to the page itself is ever kept here, while it is built: nothing that
a visitor sends or that is drawn for one.
"""

import base64
import hashlib
import re

FOLDER = "stored"  # relative to the page, so that it also works behind a root path
FILES: dict[str, bytes] = {}
INLINE = re.compile(r'src="data:image/png;base64,([A-Za-z0-9+/=]+)"')


def keep(data: bytes, kind: str = "png") -> str:
    """Serve these bytes; returns their address, relative to the page. `kind` is the ending: png, json, bin."""
    name = f"{hashlib.sha256(data).hexdigest()[:24]}.{kind}"
    FILES[name] = data
    return f"{FOLDER}/{name}"


def lift_pictures(text: str) -> str:
    """HTML whose inline PNGs have become files."""
    return INLINE.sub(lambda found: f'src="{keep(base64.b64decode(found[1]))}" loading="lazy"', text)
