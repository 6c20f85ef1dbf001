"""The KV tensors and the allocator of their slots. Knows no request and no tree."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from slipform.errors import ConfigError

SlotArray = npt.NDArray[np.int32]


class KVPool:
    """Keys and values of `num_slots` tokens, one slot a token, for every layer; a stack of the free slots.

    Args:
        kv_shapes: per layer (Hkv, D).
        in_float8: keys and values are float8_e4m3fn, whatever `dtype` says.

    Attributes:
        keys, values: per layer a tensor (num_slots, Hkv, D) of the pool's dtype, zero until written.
        scales: see `KVTensors`.

    Raises: ConfigError when a machine's main memory cannot hold that many slots.
    """

    def __init__(
        self,
        num_slots: int,
        *,
        kv_shapes: Sequence[tuple[int, int]],
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        in_float8: bool = False,
    ) -> None:
        self.num_slots = num_slots
        self.device = torch.device(device)
        if in_float8:
            dtype = torch.float8_e4m3fn
        self.keys = [_zeros((num_slots, *shape), dtype, self.device) for shape in kv_shapes]
        self.values = [_zeros((num_slots, *shape), dtype, self.device) for shape in kv_shapes]
        self.scales: list[torch.Tensor] | None = None
        if in_float8:
            self.scales = [_zeros((2, num_slots, heads), torch.float32, self.device) for heads, _ in kv_shapes]
        # The top of the stack is its end; the first allocation gets slots 0, 1, 2, … in ascending order.
        self._free: SlotArray = np.arange(num_slots - 1, -1, -1, dtype=np.int32)
        self._num_free = num_slots

    @property
    def num_free(self) -> int:
        return self._num_free

    def allocate(self, count: int) -> SlotArray | None:
        """Take `count` slots, ascending where the stack is fresh; None (and nothing taken) if fewer are free."""
        if count > self._num_free:
            return None
        bottom = self._num_free - count
        taken = self._free[bottom : self._num_free][::-1].copy()
        self._num_free = bottom
        return taken

    def release(self, slots: SlotArray) -> None:
        """Give slots back. Giving one back twice breaks the pool (`CacheManager.check` sees it)."""
        top = self._num_free + len(slots)
        self._free[self._num_free : top] = slots[::-1]
        self._num_free = top

    def free_slots(self) -> SlotArray:
        """A copy of the free slots, for checks."""
        return self._free[: self._num_free].copy()


def _zeros(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    if device.type != "cpu":
        return torch.zeros(shape, dtype=dtype, device=device)
    # NumPy asks the system for zero pages, which cost memory only once a slot is used; torch.zeros writes them all.
    size_bytes = math.prod(shape) * dtype.itemsize
    try:
        zeros = np.zeros(size_bytes, dtype=np.uint8)
    except MemoryError:
        needed = f"{size_bytes / 2**30:.1f} GiB, for the keys or the values of one layer"
        raise ConfigError(f"this machine has no memory for {shape[0]} slots ({needed})", field="pool_slots") from None
    return torch.from_numpy(zeros).view(dtype).view(shape)
