"""One exception tree; every message says what was expected, what came, and the next step.

BenchbaseError
|-- UsageError                  what the user asked for cannot be done (exit code 2)
|   `-- DataError               a data file is missing, truncated or not what it claims to be
|-- PluginError                 a plugin did not load, or broke the contract
|   |-- UndeclaredNeedError     it asked for a privilege that it did not declare
|   |-- BudgetError             it spent more than it was granted
|   `-- ContractError           it returned something that the contract rules out
|       `-- DivergedError       it trained to non-finite numbers
`-- RunError                    the harness could not go on (disk full, a child that died)
    `-- StoreError              a record could not be written or read back
"""


class BenchbaseError(Exception):
    """Everything that benchbase raises on purpose."""


class UsageError(BenchbaseError):
    """What the user asked for cannot be done; the message says what can."""


class DataError(UsageError):
    """A data file is missing, truncated or not what it claims to be."""


class PluginError(BenchbaseError):
    """A plugin did not load, or broke the contract."""


class UndeclaredNeedError(PluginError):
    """A weighter asked for a privilege that its ``needs`` does not list."""


class BudgetError(PluginError):
    """A weighter spent more than it was granted; nothing was bought."""


class ContractError(PluginError):
    """A weighter returned something that the contract rules out."""


class DivergedError(ContractError):
    """A weighter trained to non-finite numbers."""


class RunError(BenchbaseError):
    """The harness could not go on."""


class StoreError(RunError):
    """A record could not be written or read back."""
