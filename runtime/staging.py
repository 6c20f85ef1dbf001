"""Host memory on its way to a device."""

import torch
from torch import Tensor


class Staging:
    """Two host buffers in turn, pinned where the device is a GPU, growing as needed.

    One may still be on its way while the other is written. Copies are launched and not waited for: whoever is two
    steps ahead of the device waits in `take` until the buffer that comes next was read.
    """

    def __init__(self, dtype: torch.dtype, device: torch.device, capacity: int = 0) -> None:
        """`capacity`: elements that the buffers hold at first."""
        self._dtype = dtype
        self._device = device
        self._is_cuda = device.type == "cuda"
        self._buffers = [self._empty(capacity) for _ in range(2)]
        # By buffer: the last copy out of it; None before the first, and where copies are made at once.
        self._read: list[torch.cuda.Event | None] = [None, None]
        self._taken = self._buffers[0]

    def take(self, *shape: int) -> Tensor:
        """Host memory of this shape to write to. Its contents are whatever they were."""
        self._buffers.reverse()
        self._read.reverse()
        count = 1
        for length in shape:
            count *= length
        read = self._read[0]
        if read is not None:
            read.synchronize()
        if count > len(self._buffers[0]):
            self._buffers[0] = self._empty(2 * count)
        self._taken = self._buffers[0][:count].view(shape)
        return self._taken

    def send(self) -> Tensor:
        """What was written to the memory taken last, on the device once the copies launched so far are done."""
        if not self._is_cuda:
            return self._taken.clone()
        sent = self._taken.to(self._device, non_blocking=True)
        self._note_copy()
        return sent

    def send_to(self, target: Tensor) -> None:
        """`send`, into memory of the device. Mutates: `target`, of the shape taken."""
        target.copy_(self._taken, non_blocking=True)
        if self._is_cuda:
            self._note_copy()

    def _note_copy(self) -> None:
        read = self._read[0]
        if read is None:
            read = self._read[0] = torch.cuda.Event()  # type: ignore[no-untyped-call]
        read.record()

    def _empty(self, count: int) -> Tensor:
        return torch.empty(count, dtype=self._dtype, pin_memory=self._is_cuda)
