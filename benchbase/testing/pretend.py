"""A pretend accelerator: real arithmetic on the CPU, under a device's rules, its waits counted.

No GPU is needed to find the two faults that a GPU run finds first: tensors that meet on different
devices, and reads that make the host wait (``.item()``, ``.tolist()``, boolean indexing). torch
lets a private device be written in Python. An operation of a tensor on it is unwrapped to the CPU,
so that its numbers are the CPU's to the last bit; mixing devices raises, as CUDA would.

What torch is asked for is experimental and global to a process: import this in a forked one, as
``benchbase.testing.accelerator`` does.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from benchbase.kit import devices
from benchbase.testing.waiting import COPY_OUT, FETCH_INDEX, INDEXING, what_waits

NAME = "pretend"
Wait = tuple[str, tuple[tuple[str, int], ...]]
"""What for, and the stack from the innermost frame on: file and line of each."""
WITHOUT_WORK = (
    "aten::empty",
    "aten::new_empty",
    "aten::is_same_size",
    "aten::_has_same_storage_numel",
    "profiler::",
    "prim::",
)
"""How operations begin that compute nothing, as views do not."""
COPIES = ("aten::_to_copy", "aten::copy_", "aten::_copy_from", "aten::set_")


class _Module:
    """What torch and benchbase ask of a device's module."""

    room = math.inf
    """Bytes that a tensor may have."""
    largest = 0
    """Bytes of the largest tensor so far, which stands for the peak of memory."""

    def hold(self, size: int) -> None:
        """Make room for a tensor.

        Raises:
            torch.OutOfMemoryError: there is none.
        """
        if size > self.room:
            raise torch.OutOfMemoryError(f"no room for {size} bytes on the pretend accelerator")
        self.largest = max(self.largest, size)

    def max_memory_allocated(self) -> int:
        return self.largest

    def mem_get_info(self, device: object = None) -> tuple[float, float]:
        return self.room, self.room

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return True

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return 1

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        pass

    def get_rng_state(self, device: object = None) -> Tensor:
        return torch.get_rng_state()

    def set_rng_state(self, state: Tensor, device: object = None) -> None:
        torch.set_rng_state(state)


MODULE = _Module()
_setup_privateuseone_for_python_backend(NAME, backend_module=MODULE)
torch.autograd.set_multithreading_enabled(False)
devices.FUSED.add(NAME)
DEVICE = torch.device(NAME, 0)
operations: Counter[str] = Counter()
"""Operation -> how often it computed on the device: a stand-in for kernel launches."""
waits: Counter[Wait] = Counter()
"""What the host waited for -> how often."""


class OnDevice(Tensor):
    """A tensor that says it is on the device and holds its data in ``raw``, on the CPU."""

    raw: Tensor
    __torch_function__: Any = torch._C._disabled_torch_function_impl  # noqa: SLF001

    @staticmethod
    def __new__(cls: type[OnDevice], raw: Tensor) -> OnDevice:  # noqa: PYI034
        """Wrap a tensor on the CPU."""
        # (Without Self, which the type checks of a test run refuse in such a place.)
        made = Tensor._make_wrapper_subclass(  # noqa: SLF001
            cls,
            raw.size(),
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            device=DEVICE,
            requires_grad=False,
        )
        assert isinstance(made, cls)
        MODULE.hold(raw.nbytes)
        made.raw = raw
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation on the CPU."""
        return _run(func, args, kwargs or {})

    def data_ptr(self) -> int:
        """Give where the values lie: the kit's tangents tell kernels apart by it."""
        return self.raw.data_ptr()

    def __deepcopy__(self, memo: dict[int, Any]) -> OnDevice:
        """Copy the values: torch would look for them in a storage, where there are none."""
        made = OnDevice(self.raw.detach().clone())
        made.requires_grad_(self.requires_grad)
        if isinstance(self, nn.Parameter):
            made._is_param = True  # what torch knows such a parameter by
        memo[id(self)] = made
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Save the values alone: a file belongs to no device."""
        _wait(COPY_OUT)
        return self.raw.detach().requires_grad_(self.requires_grad).__reduce_ex__(protocol)

    def tolist(self) -> Any:
        """Wait for the values."""
        _wait(COPY_OUT)
        return self.raw.tolist()

    def cpu(self, *_: Any, **__: Any) -> Tensor:
        """Wait for the values."""
        _wait(COPY_OUT)
        return self.raw.clone()

    def numpy(self, **_: Any) -> Any:
        """Refuse, as a device does."""
        raise TypeError("cannot turn a tensor on a device into a NumPy array: `.cpu()` first")


class Pretend(TorchDispatchMode):
    """``with Pretend():`` lets factory functions and ``.to`` make tensors on the device."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation that is about the device on it, and every other as it is."""
        ours = any(isinstance(x, OnDevice) or _is_ours(x) for x in tree_leaves((args, kwargs)))
        return _run(func, args, kwargs or {}) if ours else func(*args, **(kwargs or {}))


def _is_ours(x: object) -> bool:
    return isinstance(x, torch.device) and x.type == NAME


def _wait(what: str) -> None:
    frames = []
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - a traceback would read the files
    while frame is not None:
        frames.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    waits[what, tuple(frames)] += 1


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = func.name()
    if not (func.is_view or name.startswith(WITHOUT_WORK)):
        operations[name] += 1
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
    ours = [x for x in tensors if isinstance(x, OnDevice)]
    others = [x for x in tensors if not isinstance(x, OnDevice) and x.dim() > 0]
    target = None if kwargs.get("device") is None else torch.device(kwargs["device"])
    _check_devices(name, args, ours, others)
    if ours:
        if waiting := what_waits(name, args):
            _wait(waiting)
        written = args[0] if name.startswith("aten::copy_") else ours[0]
        if not isinstance(written, OnDevice) or (target is not None and target.type == "cpu"):
            _wait(COPY_OUT)
    compute = COMPUTED.get(func, func)
    result = compute(*tree_map(_unwrapped, args), **tree_map(_unwrapped, kwargs))
    if not func._schema.returns:  # noqa: SLF001
        return None
    if torch.Tag.inplace_view in func.tags:
        with no_dispatch():  # what says that it is on the device has a shape of its own
            func(*args, **kwargs)
    operation = func._schema.name  # noqa: SLF001
    if operation.endswith("_") and not operation.endswith("__"):
        return args[0]
    if "out" in kwargs:
        return kwargs["out"]
    stays = bool(ours) if target is None else target.type == NAME
    if not stays or name == "aten::_local_scalar_dense":
        return result
    known = {id(x.raw): x for x in ours}
    return tree_map(lambda x: _wrapped(x, known), result)


def _drop_out(values: Tensor, share: float, _train: object) -> tuple[Tensor, Tensor]:
    kept = torch.empty_like(values).bernoulli_(1 - share)
    return values * kept.div(1 - share), kept.bool()


COMPUTED: dict[Any, Any] = {
    # Where a tangent is missing, torch takes zeros without memory; no kernel is to read those.
    torch.ops.aten._efficientzerotensor.default: torch.ops.aten.zeros.default,  # noqa: SLF001
    # The CPU has another operation for it, which draws otherwise.
    torch.ops.aten.native_dropout.default: _drop_out,
}
"""What an operation is computed by, if not by itself."""


def _check_devices(name: str, args: Any, ours: list[OnDevice], others: list[Tensor]) -> None:
    """Refuse tensors on two devices, but for copies; an index there may come from the host."""
    if not ours or not others or name.startswith(COPIES):
        return
    if not (name.startswith(INDEXING) and isinstance(args[0], OnDevice)):
        raise RuntimeError(f"{name}: tensors on different devices")
    _wait(FETCH_INDEX)


def _unwrapped(x: Any) -> Any:
    if isinstance(x, OnDevice):
        return x.raw
    return torch.device("cpu") if _is_ours(x) else x


def _wrapped(x: Any, known: dict[int, OnDevice]) -> Any:
    if not isinstance(x, Tensor) or isinstance(x, OnDevice):
        return x
    return known[id(x)] if id(x) in known else OnDevice(x)


# Some factories reach the backend below every mode; these three are what they ask for.
_LIBRARY = torch.library.Library("aten", "IMPL")


def _empty_strided(size: Any, stride: Any, *, dtype: Any = None, **_: Any) -> OnDevice:
    return OnDevice(torch.empty_strided(size, stride, dtype=dtype))


def _empty(size: Any, *, dtype: Any = None, **_: Any) -> OnDevice:
    return OnDevice(torch.empty(size, dtype=dtype))


def _copy_from(source: Any, target: Any, *_: Any) -> Any:
    getattr(target, "raw", target).copy_(getattr(source, "raw", source))
    return target


_LIBRARY.impl("empty_strided", _empty_strided, "PrivateUse1")
_LIBRARY.impl("empty.memory_format", _empty, "PrivateUse1")
_LIBRARY.impl("_copy_from", _copy_from, "PrivateUse1")
