"""Where a result comes from: versions, commit, machine. No name or path of the machine itself."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchbase.records.record import Numerics, Provenance

_PACKAGES = ("benchbase-harness", "torch", "torchvision", "torchmetrics", "numpy", "scipy")


def gather(
    argv: Sequence[str], executor: str, gpus: Sequence[str], sandbox: str | None = None
) -> Provenance:
    """Collect what is the same for all cells of a run."""
    commit, dirty = _commit()
    return Provenance(
        argv=list(argv),
        executor=executor,
        sandbox=sandbox or "",
        versions={name: importlib.metadata.version(name) for name in _PACKAGES},
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        gpus=list(gpus),
        host=hashlib.sha256(platform.node().encode()).hexdigest()[:12],
        commit=commit,
        dirty=dirty,
    )


def lives_text(provenance: Provenance) -> str:
    """Say that a cell was interrupted and went on; nothing where it was not."""
    return f"in {provenance.lives} lives" if provenance.lives > 1 else ""


def describe_numerics(asked: str) -> Numerics:
    """Tell how a cell computes, from the numerics that its spec asks for; imports torch."""
    precision, _, rest = asked.partition("-")
    return Numerics(
        precision=precision,
        deterministic=rest == "deterministic",
        cpu_capability=processor(),
    )


def processor(described: Path = Path("/proc/cpuinfo")) -> str:
    """Name what the CPU's last bits depend on: ``AVX512, GenuineIntel 6 207``.

    That is the instruction set that torch chose, and the make: for two makes with the same set,
    torch's libraries choose other kernels and blocks.
    """
    import torch

    try:
        lines = described.read_text().splitlines()
    except OSError:  # no Linux
        lines = []
    said = {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    makes = ("vendor_id", "cpu family", "model"), ("CPU implementer", "CPU part")
    make = max((" ".join(said[name] for name in names if name in said) for names in makes), key=len)
    return f"{torch.backends.cpu.get_cpu_capability()}, {make or platform.processor() or 'unknown'}"


def torch_minor() -> str:
    """Give torch's major.minor without importing it."""
    return ".".join(importlib.metadata.version("torch").split(".")[:2])


def _commit() -> tuple[str | None, bool | None]:
    """Give the checkout's commit and whether it was changed; None for an installed package."""
    root = Path(__file__).resolve().parent.parent.parent

    def git(*arguments: str) -> str | None:
        try:
            return subprocess.run(
                ["git", "-C", str(root), *arguments],
                check=True,
                capture_output=True,
                text=True,
                timeout=10,
            ).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return None

    if not (root / ".git").exists():
        return None, None
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "benchbase")
    return git("rev-parse", "HEAD"), bool(changed)
