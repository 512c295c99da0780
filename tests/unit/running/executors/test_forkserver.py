"""The process server and its children."""

from __future__ import annotations


def test_a_child_whose_log_cannot_be_opened_works_all_the_same(server, tmp_path):
    child = server.start("benchbase.running.predictor", tmp_path)  # a folder, not a file
    try:
        child.channel.send({"device": "cpu"})
        answer, _ = child.channel.receive()
    finally:
        child.kill()
    assert (answer["type"], answer["error"]["message"]) == ("failed", "'weighter'")
