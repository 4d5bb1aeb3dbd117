import math
import socket
import struct

import pytest

from slipway import frames


def through(message):
    a, b = socket.socketpair()
    with a, b:
        frames.send(a, message)
        return frames.receive(b)


def test_a_message_comes_out_as_it_went_in():
    message = {"id": 1, "text": "é\u2603\ud83d", "n": [2**63, 1.5, -0.0, None, True], "deep": {"a": [[]]}}
    assert through(message) == message


def test_numbers_that_json_has_not_are_listed_beside():
    body = frames.encode({"predictions": [[1.0, math.nan], [math.inf, -math.inf]]})[4:]
    assert body == (
        b'{"predictions":[[1.0,null],[null,null]],'
        b'"nonfinite":[["NaN","predictions",0,1],["Infinity","predictions",1,0],["-Infinity","predictions",1,1]]}'
    )
    (a, b), (c, d) = through({"predictions": [[1.0, math.nan], [math.inf, -math.inf]]})["predictions"]
    assert a == 1.0 and math.isnan(b) and c == math.inf and d == -math.inf


@pytest.mark.parametrize("body", [b"nonsense", b"[]", b'{"nonfinite":[["NaN","x"]],"x":1,"y":', b'{"nonfinite":[["NaN","a",0]]}', b'{"nonfinite":[["Nun","a"]]}'])
def test_what_is_no_frame_is_told_as_such(body):
    with pytest.raises(frames.FrameError):
        frames.decode(body)


def test_a_length_beyond_the_limit_is_refused_before_it_is_read():
    a, b = socket.socketpair()
    with a, b:
        a.sendall(struct.pack(">I", frames.FRAME_BYTES_MAX + 1))
        with pytest.raises(frames.FrameError):
            frames.receive(b)
    with pytest.raises(frames.FrameTooLarge):
        frames.encode({"x": "y" * frames.FRAME_BYTES_MAX})


def test_a_peer_that_leaves_in_the_middle_is_an_end():
    a, b = socket.socketpair()
    with b:
        a.sendall(struct.pack(">I", 100) + b"{")
        a.close()
        assert frames.receive(b) is None
