from __future__ import annotations

import os
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from benchbase.errors import ContractError
from benchbase.running.channel import LIMIT_BYTES, Channel
from benchbase.running.messages import Done, Labels, Query


@pytest.fixture
def ends():
    pair = [Channel(end) for end in socket.socketpair()]
    yield pair
    for channel in pair:
        channel.close()


def test_a_message_and_its_bytes_arrive_as_they_were_sent(ends):
    ours, theirs = ends
    blob = bytes(range(256)) * 10_000
    sender = threading.Thread(target=ours.send, args=(Query(rows=[1, 2]), blob))
    sender.start()
    assert theirs.receive(Query) == (Query(rows=[1, 2]), blob)
    sender.join()


def test_open_files_come_with_a_message_to_whoever_asks_for_them(ends, tmp_path):
    ours, theirs = ends
    with (tmp_path / "one").open("w+") as one, (tmp_path / "two").open("w+") as two:
        one.write("first"), two.write("second")
        one.seek(0), two.seek(0)
        ours.send(Query(rows=[]), b"", [one.fileno(), two.fileno()])
        ours.send(Query(rows=[1]))
    theirs.receive(Query)
    found = [os.fdopen(descriptor) for descriptor in theirs.receive_files(2)]
    assert [file.read() for file in found] == ["first", "second"]
    for file in found:
        file.close()
    assert theirs.receive(Query)[0].rows == [1]


def test_files_that_do_not_come_are_missed(ends):
    ours, theirs = ends
    ours._connection.sendall(b"\0")
    with pytest.raises(ContractError, match="expected 1 open files, got 0"):
        theirs.receive_files(1)
    ours.close()
    with pytest.raises(EOFError):
        theirs.receive_files(1)


def test_nobody_receives_files_that_were_not_asked_for(ends, tmp_path):
    ours, theirs = ends
    before = len([*Path("/dev/fd").iterdir()])
    with (tmp_path / "one").open("w+") as one:
        socket.send_fds(ours._connection, [struct.pack(">II", 27, 0)], [one.fileno()])
    ours._connection.sendall(b'{"type":"query","rows":[1]}')
    assert theirs.receive(Query)[0].rows == [1]
    assert len([*Path("/dev/fd").iterdir()]) == before


def test_the_end_of_the_other_side_is_an_end_of_file(ends):
    ours, theirs = ends
    ours.close()
    with pytest.raises(EOFError):
        theirs.receive(Query)


def test_a_deadline_bounds_the_wait(ends):
    _, theirs = ends
    theirs.deadline = time.monotonic() + 0.05
    with pytest.raises(TimeoutError):
        theirs.receive(Query)


def test_a_deadline_also_bounds_a_message_that_comes_in_drips(ends):
    ours, theirs = ends
    theirs.deadline = time.monotonic() + 0.05
    ours._connection.sendall(struct.pack(">II", 100, 0) + b"{")
    with pytest.raises(TimeoutError):
        theirs.receive(Query)


@pytest.mark.parametrize(
    "text", [b"not json", b"[1, 2]", b"\xff\xfe", b'{"type":"ready"}', b"[" * 100_000]
)
def test_what_is_no_such_message_is_refused(ends, text):
    ours, theirs = ends
    ours._connection.sendall(struct.pack(">II", len(text), 0) + text)
    with pytest.raises(ContractError, match="expected a message query or done, got"):
        theirs.receive(Query, Done)


def test_a_frame_over_the_limit_is_refused_before_it_is_read(ends):
    ours, theirs = ends
    ours._connection.sendall(struct.pack(">II", 2, LIMIT_BYTES))
    with pytest.raises(ContractError, match="over the limit"):
        theirs.receive(Query)


def test_nan_is_not_sent(ends):
    with pytest.raises(ValueError, match="not JSON compliant"):
        ends[0].send(Labels(labels=[float("nan")]))  # type: ignore[list-item]
