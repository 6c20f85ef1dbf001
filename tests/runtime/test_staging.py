"""What was written to a staging buffer arrives, however far the device is behind."""

import pytest
import torch

from slipform.runtime.staging import Staging

NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, NEEDS_GPU])])
@pytest.mark.parametrize("capacity", [0, 100])
def test_buffers_are_not_written_before_the_device_has_read_them(device: str, capacity: int) -> None:
    staging = Staging(torch.int32, torch.device(device), capacity)
    target = torch.zeros((8, 50), dtype=torch.int32, device=device)
    arrived = []
    for number in range(8):
        if device == "cuda":
            torch.cuda._sleep(20_000_000)
        staging.take(50).fill_(number)
        if number % 2:
            staging.send_to(target[number])
        else:
            arrived.append(staging.send())
    assert [sent.tolist() for sent in arrived] == [[number] * 50 for number in range(0, 8, 2)]
    assert target[1::2].tolist() == [[number] * 50 for number in range(1, 8, 2)]


def test_buffers_grow() -> None:
    staging = Staging(torch.int64, torch.device("cpu"))
    for count in (3, 1, 40, 7):
        taken = staging.take(2, count)
        taken.copy_(torch.arange(2 * count).view(2, count))
        assert torch.equal(staging.send(), torch.arange(2 * count).view(2, count))
