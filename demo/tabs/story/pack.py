"""Arrays of bytes inside a JSON file: differences of neighbours, compressed, in base64.

Neighbouring pixels, and neighbouring bars of a distribution, are alike: their differences are small numbers, which
deflate well. It is what PNG does; `js/data.js` undoes it in the browser.
"""

import base64
import zlib

import numpy as np


def pack(array: np.ndarray, stride: int = 1) -> dict:
    """uint8, uint16 or bool, of any shape -> a dict for JSON. `stride`: how far apart alike values are (3 for RGB)."""
    if array.dtype == np.uint16:  # low and high bytes apart: the high ones are all alike
        raw = np.stack([array & 255, array >> 8]).astype(np.uint8)
    elif array.dtype in (np.uint8, np.bool_):
        raw = array.astype(np.uint8)
    else:
        raise ValueError(f"only bytes, pairs of bytes and bits are packed, not {array.dtype}")
    flat = raw.ravel()
    change = flat.copy()
    change[stride:] -= flat[:-stride]  # modulo 256
    return {"shape": list(array.shape), "bytes": 2 if array.dtype == np.uint16 else 1, "stride": stride,
            "data": base64.b64encode(zlib.compress(change.tobytes(), 9)).decode()}


def unpack(packed: dict) -> np.ndarray:
    """The array again: uint8, or uint16 where two bytes were packed; bits are bytes."""
    flat = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), np.uint8)
    padded = np.pad(flat, (0, -len(flat) % packed["stride"])).reshape(-1, packed["stride"])
    flat = padded.cumsum(0, dtype=np.uint8).ravel()[:len(flat)]  # modulo 256
    if packed["bytes"] == 2:
        low, high = flat.reshape(2, -1).astype(np.uint16)
        flat = low | high << 8
    return flat.reshape(packed["shape"])
