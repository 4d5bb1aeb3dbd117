"""Frames between the server and a worker: four bytes of length (big endian), then that many bytes of JSON in UTF-8.

JSON has no NaN and no infinities. A frame that needs them writes null in their place and lists them in its key
``nonfinite``: each entry is a word (``NaN``, ``Infinity``, ``-Infinity``) followed by the path to the null, for example
``["NaN", "predictions", 0, 1]``. A frame without the key means exactly what it says.
"""

import json
import math
import socket
import struct
from typing import Any

FRAME_BYTES_MAX = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class FrameError(Exception):
    """The peer does not keep to the format; the connection cannot be used any more."""


class FrameTooLarge(Exception):
    """A frame would be larger than FRAME_BYTES_MAX."""


def _word(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _take_out(value: Any, path: list, found: list) -> Any:
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        found.append([_word(value), *path])
        return None
    if isinstance(value, dict):
        return {key: _take_out(each, [*path, key], found) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_take_out(each, [*path, index], found) for index, each in enumerate(value)]
    return value


def encode(message: dict) -> bytes:
    """A frame with its length. Raises FrameTooLarge, and TypeError for what JSON cannot say."""
    try:
        text = json.dumps(message, allow_nan=False, separators=(",", ":"))
    except ValueError:
        found: list = []
        plain = _take_out(message, [], found)
        text = json.dumps({**plain, "nonfinite": found}, allow_nan=False, separators=(",", ":"))
    body = text.encode("ascii")
    if len(body) > FRAME_BYTES_MAX:
        raise FrameTooLarge(f"a frame of {len(body)} bytes is larger than {FRAME_BYTES_MAX}")
    return _LENGTH.pack(len(body)) + body


def decode(body: bytes) -> dict:
    """The message of a frame's body, its non-finite numbers put back. Raises FrameError."""
    try:
        message = json.loads(body)
    except ValueError as error:
        raise FrameError(f"a frame is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise FrameError("a frame is not a JSON object")
    for entry in message.pop("nonfinite", ()):
        try:
            word, *path, last = entry
            place = message
            for step in path:
                place = place[step]
            place[last] = _WORDS[word]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise FrameError(f"an entry of nonfinite leads nowhere: {entry!r}") from error
    return message


def _read_exactly(connection: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def receive(connection: socket.socket) -> dict | None:
    """The next message, or None when the peer has gone. Raises FrameError."""
    head = _read_exactly(connection, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > FRAME_BYTES_MAX:
        raise FrameError(f"a frame of {length} bytes is announced; {FRAME_BYTES_MAX} are allowed")
    body = _read_exactly(connection, length)
    return None if body is None else decode(body)


def send(connection: socket.socket, message: dict) -> None:
    connection.sendall(encode(message))
