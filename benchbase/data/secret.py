"""The secret of a verified run: its split and noise cannot be drawn again from the public seed.

A plugin that knows benchbase can rebuild whatever a public seed gives. Under a secret, what is
drawn for a condition starts from an HMAC of it. Only the secret's fingerprint is ever written.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from benchbase.cell import JSON, DataIdentity, Scenario, canonical_json
from benchbase.errors import UsageError

LEAST_BYTES = 32
_PREFIX = "secret:"
_NOT_DRAWN = ("backbone", "backbone_options", "recipe", "label_budget")


@dataclass(frozen=True)
class Secret:
    """What only whoever runs a verified board knows."""

    content: bytes = field(repr=False)

    @classmethod
    def read(cls, path: str | Path) -> Secret:
        """Read the secret from a file; white space around it does not count.

        Raises:
            UsageError: it cannot be read, or is short enough to be guessed.
        """
        advice = f"`head -c {LEAST_BYTES} /dev/urandom | base64 > FILE` makes one"
        try:
            content = Path(path).expanduser().read_bytes().strip()
        except OSError as error:
            raise UsageError(f"secret {path}: {error.strerror}; {advice}") from error
        if len(content) < LEAST_BYTES:
            raise UsageError(
                f"secret {path}: expected at least {LEAST_BYTES} bytes, got {len(content)}; "
                f"{advice}"
            )
        return cls(content)

    @property
    def fingerprint(self) -> str:
        """What tells one secret from another and gives none away."""
        return self._hmac("fingerprint")[:16]

    def derived(self, condition: JSON) -> str:
        """Derive the seed of a condition."""
        return self._hmac(f"seed|{canonical_json(condition)}")

    def _hmac(self, text: str) -> str:
        return hmac.new(self.content, text.encode(), hashlib.sha256).hexdigest()


def drawn_by(scenario: Scenario) -> dict[str, Any]:
    """Give the parts of a scenario by which its images and labels are drawn."""
    parts: dict[str, Any] = msgspec.to_builtins(scenario)
    return {name: value for name, value in parts.items() if name not in _NOT_DRAWN}


def data_seed(scenario: Scenario, seed: int, fingerprint: str, secret: Secret | None) -> int | str:
    """Give the seed that the split and the labels of data with this fingerprint are drawn from."""
    if secret is None:
        return seed
    # Where the data lie is no part of the condition: the same images give the same draws.
    condition = {**drawn_by(scenario), "dataset_options": fingerprint, "seed": seed}
    return secret.derived(condition)


def refuse_without(secret: Secret | None, identity: DataIdentity) -> None:
    """Refuse to draw data again with another secret than they were drawn with.

    Raises:
        UsageError: the secret is another one, or there is one of two only.
    """
    wanted, came = secret_of(identity), "" if secret is None else secret.fingerprint
    if wanted != came:
        drawn = f"the secret {wanted}" if wanted else "a public seed"
        cure = "name its file with --secret" if wanted else "leave --secret away"
        raise UsageError(f"split and noise were drawn with {drawn}: {cure}")


def stands_for_labels(secret: Secret) -> str:
    """Give what a key holds in place of the hash of labels, which would let guesses be checked."""
    return _PREFIX + secret.fingerprint


def secret_of(identity: DataIdentity) -> str:
    """Give the fingerprint of the secret that data were drawn with; empty under a public seed."""
    prefix, _, fingerprint = identity.labels_hash.rpartition(":")
    return fingerprint if prefix + ":" == _PREFIX else ""
