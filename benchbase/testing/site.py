"""A fake installation: distributions with entry points in a folder, for tests of plugins.

What pip would write, without pip: put the folder on ``sys.path`` (or ``PYTHONPATH``), and
benchbase finds what was added.
"""

from __future__ import annotations

import importlib
import sys
import textwrap
from pathlib import Path


class PluginSite:
    """A folder that holds fake distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._modules: set[str] = set()

    def add(
        self,
        distribution: str,
        module: str,
        *,
        version: str = "1.0",
        **modules: str,
    ) -> None:
        """Add a distribution whose entry point names ``module``.

        ``modules`` maps module names to source, which is dedented.
        """
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (info / "entry_points.txt").write_text(f"[benchbase]\n{distribution} = {module}\n")
        for name, source in modules.items():
            (self.folder / f"{name}.py").write_text(textwrap.dedent(source))
        self._modules |= modules.keys()
        importlib.invalidate_caches()

    def forget(self) -> None:
        """Take the site's modules out of ``sys.modules``, as if they had never been imported."""
        for name in self._modules:
            sys.modules.pop(name, None)
