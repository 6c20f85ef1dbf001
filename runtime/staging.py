"""Host memory on its way to a device."""

import torch
from torch import Tensor


class Staging:
    """Two host buffers in turn, pinned where the device is a GPU, growing as needed.

    One may still be on its way while the other is written; a buffer is written again no earlier than the second `take`
    after it was sent, by when the step that it was sent for has been waited for.
    """

    def __init__(self, dtype: torch.dtype, device: torch.device) -> None:
        self._dtype = dtype
        self._device = device
        self._buffers = [torch.empty(0, dtype=dtype) for _ in range(2)]
        self._taken = self._buffers[0]

    def take(self, *shape: int) -> Tensor:
        """Host memory of this shape to write to. Its contents are whatever they were."""
        self._buffers.reverse()
        count = 1
        for length in shape:
            count *= length
        if count > len(self._buffers[0]):
            pinned = self._device.type == "cuda"
            self._buffers[0] = torch.empty(2 * count, dtype=self._dtype, pin_memory=pinned)
        self._taken = self._buffers[0][:count].view(shape)
        return self._taken

    def send(self) -> Tensor:
        """What was written to the memory taken last, on the device once the copies launched so far are done."""
        if self._device.type == "cpu":
            return self._taken.clone()
        return self._taken.to(self._device, non_blocking=True)
