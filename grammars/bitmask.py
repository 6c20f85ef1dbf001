"""Token masks as bits: int32 words, 32 tokens each, bit 1 = allowed. Token t is bit t % 32 of word t // 32."""

from typing import Any

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]

INT32 = np.dtype(np.int32)


def allocate_bitmask(batch_size: int, vocab_size: int) -> Int32:
    """A (batch_size, ceil(vocab_size / 32)) int32 array of zeros: nothing allowed."""
    return np.zeros((batch_size, (vocab_size + 31) // 32), np.int32)


def allow(mask: Int32, token_id: int) -> None:
    """Set the bit of one token. Mutates: `mask`."""
    mask.view(np.uint32)[token_id >> 5] |= np.uint32(1 << (token_id & 31))


def is_allowed(mask: Int32, token_id: int) -> bool:
    """Whether the bit of one token is set."""
    return bool(int(mask[token_id >> 5]) >> (token_id & 31) & 1)


def unpack(mask: Int32, vocab_size: int) -> npt.NDArray[np.bool_]:
    """(..., W) int32 words to (..., vocab_size) bool."""
    octets = np.ascontiguousarray(mask).view(np.uint8)
    bits: npt.NDArray[np.uint8] = np.unpackbits(octets, axis=-1, bitorder="little")
    return bits[..., :vocab_size].astype(bool)


def pack(allowed: npt.NDArray[np.bool_]) -> Int32:
    """(..., V) bool to (..., ceil(V / 32)) int32 words."""
    words = (allowed.shape[-1] + 31) // 32
    octets = np.zeros((*allowed.shape[:-1], 4 * words), np.uint8)
    packed = np.packbits(allowed, axis=-1, bitorder="little")
    octets[..., : packed.shape[-1]] = packed
    return octets.view(np.int32)


def as_words(row: Any) -> Int32:
    """An int32 array that shares the memory of `row`, a numpy array or a CPU tensor.

    Raises: TypeError for another dtype, whose bits would be lost on the way.
    """
    words: Int32 = row if isinstance(row, np.ndarray) else row.numpy()
    if words.dtype != INT32:
        raise TypeError(f"mask rows are int32, got {words.dtype}")
    return words
