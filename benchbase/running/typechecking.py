"""The switch for type checks at run time: on in the test run, off for everyone else.

With ``BENCHBASE_TYPECHECK=1`` every call into a module of benchbase that is imported afterwards
checks its annotations, tensor shapes included. Children inherit the variable and throw the switch
first thing. It needs ``beartype``, which only the development group installs.
"""

from __future__ import annotations

import os

SWITCH = "BENCHBASE_TYPECHECK"

_CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
"""An int is welcome where a float is asked for, as for static type checkers."""


def install_if_asked() -> None:
    """Check benchbase's annotations from here on, where the environment asks for it."""
    if os.environ.get(SWITCH) == "1":
        from jaxtyping import install_import_hook

        install_import_hook("benchbase", _CHECKER)
