"""The process server and its children."""

from __future__ import annotations

from benchbase.plugins.source import Source
from benchbase.running.messages import Failed, Keep, Loadable, Ready, Start


def test_a_child_whose_log_cannot_be_opened_works_all_the_same(server, tmp_path):
    nothing = Loadable(source=Source("module", "no_such_module"), name="nothing", options={})
    keep = Keep(path="", every=None, go_on_from=None, past=[])
    start = Start(weighter=nothing, backbone=nothing, device="cpu", folder="", model="", keep=keep)
    child = server.start("benchbase.running.predictor", tmp_path)  # a folder, not a file
    try:
        child.channel.send(start)
        answer, _ = child.channel.receive(Failed)
    finally:
        child.kill()
    assert "no_such_module" in answer.message


def test_a_child_imports_from_where_its_parent_does_today(server, tmp_path, monkeypatch):
    (tmp_path / "lately_written.py").write_text(
        "from benchbase.running.messages import Ready\n"
        "def main(channel):\n"
        "    channel.send(Ready())\n"
    )
    server.wait_until_ready()
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.syspath_prepend(tmp_path.name)  # seen from where the server does not stand
    child = server.start("lately_written")
    try:
        child.channel.receive(Ready)
    finally:
        child.kill()
