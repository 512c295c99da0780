"""A process that has imported torch and forks a fresh child for each role of each cell.

Importing torch costs seconds, forking a process that has done so about a tenth of one. The server
is a program of its own (``python -m benchbase.running.executors.forkserver``): a user's unguarded
script is not run again in it, as multiprocessing would, and nothing is pickled. It must not touch
CUDA, which does not survive a fork.

Every child leads a session of its own, so that it can be killed with all that it started, and
watches a pipe whose other end only the parent holds: when the parent dies, the child ends. It
imports from where the parent does (a notebook, a script's folder).
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from benchbase.errors import RunError
from benchbase.kit import devices
from benchbase.running import typechecking
from benchbase.running.channel import Channel
from benchbase.running.executors.child import Child, kill_group
from benchbase.running.executors.sandbox import NOTHING, Sandbox, Shown

# glibc otherwise maps and unmaps every activation: page faults cost a fifth of a small network's
# step (measured). One torch thread a worker, always, whatever the number of jobs.
CHILD_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
    "MALLOC_TOP_PAD_": str(1 << 28),
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "PYTHONHASHSEED": "0",
    # A method may print what it likes: logs take every character.
    "PYTHONIOENCODING": "utf-8:backslashreplace",
}

PRELOAD = (
    "torch",
    "torchvision",
    "benchbase.api",
    "benchbase.kit.bilevel",
    "benchbase.kit.loops",
    "benchbase.running.predictor",
    "benchbase.running.trainer",
)


class ForkServer:
    """The parent's handle on the server; it starts with the first child, and serves all slots.

    With a ``sandbox`` a child becomes another program after the fork: nothing of the server's
    memory, environment or open files comes with it.
    """

    def __init__(self, sandbox: Sandbox | None = None) -> None:
        self._sandbox = sandbox
        self._lock = threading.Lock()
        self._replies: Future[tuple[int, Future[int]]] = Future()
        self._ended: dict[int, Future[int]] = {}
        """How each child that runs will have ended."""
        self._ready = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._launching = threading.Lock()
        """Held while the server is launched: whoever closes meanwhile finds all of it."""

    def _launch(self) -> None:
        with self._launching:
            if self._process is None and not self._closed:
                self._launch_now()

    def _launch_now(self) -> None:
        ours, theirs = socket.socketpair()
        lifeline_read, self._lifeline = os.pipe()
        fds = (theirs.fileno(), lifeline_read)
        self._process = subprocess.Popen(
            # -P: a random.py in the working directory must not stand in for Python's own.
            [sys.executable, "-P", "-m", __name__, *map(str, fds)],
            pass_fds=fds,
            env={**os.environ, **CHILD_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is the parent's to handle
        )
        theirs.close()
        os.close(lifeline_read)
        self._control = ours
        threading.Thread(target=self._listen, daemon=True).start()

    def wait_until_ready(self) -> None:
        """Start the server and wait for its imports, which are no cell's cost."""
        self._launch()
        self._ready.wait()

    def start(self, module: str, log: Path | None = None, shown: Shown = NOTHING) -> Child:
        """Fork a child that runs ``module.main(channel)``; its output goes to ``log``.

        In a sandbox it meets no files but its code and what is ``shown``.
        """
        ours, theirs = socket.socketpair()
        command = []
        if self._sandbox is not None:
            command = self._sandbox.command(module, shown, {**os.environ, **CHILD_ENVIRONMENT})
        request = json.dumps(
            {
                "module": module,
                "log": str((log or Path(os.devnull)).absolute()),
                # What the parent hashed is found where it found it, also after a change of folder.
                "path": [str(Path(place).absolute()) for place in sys.path],
                "command": command,
            }
        ).encode()
        with self._lock, theirs:
            try:
                self._launch()
                if self._closed:
                    raise RunError("the process server was closed")
                self._replies = Future()
                socket.send_fds(self._control, [request], [theirs.fileno()])
                pid, ended = self._replies.result()
            except OSError as error:
                ours.close()
                raise RunError(f"no process could be started: {error}") from error
            except RunError:
                ours.close()
                raise
        return Child(pid, Channel(ours), ended, sandboxed=bool(command))

    def close(self) -> None:
        """End the server and every child that is left; closing twice is fine."""
        with self._launching:
            if self._closed:
                return
            self._closed = True
            if self._process is None:
                self._ready.set()  # nobody waits for what does not come
                return
        for pid in list(self._ended):
            kill_group(pid)
        self._process.kill()
        self._process.wait()
        self._control.close()
        os.close(self._lifeline)

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self._control.makefile("r"):
                message = json.loads(line)
                if "ready" in message:
                    self._ready.set()
                elif "refused" in message:
                    error = OSError(message["refused"], os.strerror(message["refused"]))
                    self._replies.set_exception(error)
                elif "started" in message:
                    ended = self._ended[message["started"]] = Future()
                    self._replies.set_result((message["started"], ended))
                else:
                    self._ended.pop(message["ended"]).set_result(message["code"])
        for pid, ended in self._ended.items():
            kill_group(pid)
            ended.set_result(-signal.SIGKILL)
        if not self._replies.done():
            self._replies.set_exception(RunError("the process server ended; see its output above"))
        self._ready.set()


def serve(control: socket.socket, lifeline: int) -> None:
    """Fork on request until the parent closes the connection; then end what is left."""
    typechecking.install_if_asked()
    for name in PRELOAD:
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)
    assert not devices.is_started(), "a preloaded module touched CUDA"
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    running: set[int] = set()
    _tell(control, {"ready": 1})
    while True:
        watched: list[Any] = [control, wake_read]
        ready, _, _ = select.select(watched, [], [])
        if wake_read in ready:
            os.read(wake_read, 4096)
            for pid, code in _reap(running):
                _tell(control, {"ended": pid, "code": code})
        if control in ready:
            request, fds, _, _ = socket.recv_fds(control, 1 << 16, 1)
            if not request:
                break
            try:
                pid = os.fork()
            except OSError as error:  # no more processes or memory: the next one may succeed
                os.close(fds[0])
                _tell(control, {"refused": error.errno or errno.EAGAIN})
                continue
            if pid == 0:
                control.close()
                os.close(wake_read)
                _become_child(json.loads(request), fds[0], lifeline)
            os.close(fds[0])
            running.add(pid)
            _tell(control, {"started": pid})
    for pid in running:
        kill_group(pid)


def _tell(control: socket.socket, message: dict[str, int]) -> None:
    with contextlib.suppress(OSError):  # the parent is gone: the next read says so
        control.sendall(json.dumps(message).encode() + b"\n")


def _reap(running: set[int]) -> list[tuple[int, int]]:
    ended = []
    for pid in list(running):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            # What the child started goes with it. Until it is waited for, its number is taken, so
            # that no stranger's processes can be meant.
            kill_group(pid)
            _, status = os.waitpid(pid, 0)
            running.discard(pid)
            ended.append((pid, os.waitstatus_to_exitcode(status)))
    return ended


def _become_child(request: dict[str, Any], connection: int, lifeline: int) -> None:
    """Run the role; never returns."""
    code = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        log = _open_log(request["log"])
        os.dup2(log, 1)
        os.dup2(log, 2)
        if request["command"]:
            os.set_inheritable(connection, True)
            os.set_inheritable(lifeline, False)  # the sandbox ends with this server
            command = [*request["command"], str(connection), *request["path"]]
            os.execv(command[0], command)  # noqa: S606
        threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
        channel = Channel(socket.socket(fileno=connection))
        sys.path[:] = request["path"]
        importlib.import_module(request["module"]).main(channel)
        code = 0
    except BaseException:  # noqa: BLE001 - the last frame of the process
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _open_log(path: str) -> int:
    """Open the log, or nowhere: a disk that takes no new file is not the method's failure."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def _end_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)  # returns when the parent's end closes, and never before
    with contextlib.suppress(ProcessLookupError):
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
