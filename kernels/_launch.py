"""What the Triton launchers share: checks of arguments, and block sizes."""

from torch import Tensor


def power_of_two(number: int) -> int:
    """The smallest power of two that is at least `number`."""
    return 1 << max(0, number - 1).bit_length()


def check_contiguous(**tensors: Tensor | None) -> None:
    """Raises: ValueError naming the first tensor that has gaps."""
    for name, tensor in tensors.items():
        if tensor is not None and not tensor.is_contiguous():
            raise ValueError(f"{name}: must be contiguous, and its strides are {tensor.stride()}")


def check_dtype(like: Tensor, **tensors: Tensor | None) -> None:
    """Raises: ValueError naming the first tensor whose dtype differs from `like`'s."""
    for name, tensor in tensors.items():
        if tensor is not None and tensor.dtype is not like.dtype:
            raise ValueError(f"{name}: {tensor.dtype}, and {like.dtype} is needed")
