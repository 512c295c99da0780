"""What is the machine's fault and never the method's: such a cell is run again.

One list for the parent and its children.
"""

from __future__ import annotations

import errno

MACHINE_FAULTS = frozenset(
    (
        errno.ENOSPC,  # the disk is full
        errno.EDQUOT,  # so is the user's share of it
        errno.EFBIG,  # a limit on file sizes
        errno.EIO,  # a disk or network drive that fails
        errno.ESTALE,  # a network drive that went away
        errno.EROFS,  # a disk that was mounted anew, read-only, after an error
        errno.ENOTCONN,
        errno.ETIMEDOUT,
        errno.EMFILE,  # too many open files, of this process or of all
        errno.ENFILE,
        errno.EAGAIN,  # no more processes
    )
)


def is_machines_fault(error: BaseException) -> bool:
    """Tell whether an error, or one that it was raised from, is the machine's fault."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, OSError) and cause.errno in MACHINE_FAULTS:
            return True
        cause = cause.__cause__ or cause.__context__
    return False
