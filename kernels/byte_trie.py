"""Numba construction of a byte trie in depth-first order from sorted strings."""

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def build_trie(text: Any, offsets: Any) -> Any:
    """The trie of the non-empty strings text[offsets[i] : offsets[i + 1]], which are sorted and may repeat.

    Returns:
        byte (n,) uint8, depth (n,) int32 from 1, skip (n,) int32: the node behind the subtree, and
        first (n + 1,) int32: the strings that end at node i are first[i] : first[i + 1].
        The root is not a node. Strings are numbered as given, which is depth-first order too.
    """
    count = len(offsets) - 1
    byte = np.empty(len(text), np.uint8)
    depth = np.empty(len(text), np.int32)
    skip = np.empty(len(text), np.int32)
    first = np.empty(len(text) + 1, np.int32)
    longest = 0
    for i in range(count):
        longest = max(longest, offsets[i + 1] - offsets[i])
    path = np.empty(longest + 1, np.int32)
    size = 0
    path_len = 0
    previous = 0
    for i in range(count):
        begin = offsets[i]
        length = offsets[i + 1] - begin
        common = 0
        while common < path_len and common < length and text[previous + common] == text[begin + common]:
            common += 1
        for level in range(common, path_len):
            skip[path[level]] = size
        for level in range(common, length):
            byte[size] = text[begin + level]
            depth[size] = level + 1
            first[size] = i
            path[level] = size
            size += 1
        # An equal string adds no node; it ends at the node before, whose strings reach up to the next node's first.
        path_len = length
        previous = begin
    for level in range(path_len):
        skip[path[level]] = size
    first[size] = count
    return byte[:size].copy(), depth[:size].copy(), skip[:size].copy(), first[: size + 1].copy()


@njit(cache=True, nogil=True)
def longer_strings(byte: Any, skip: Any, text: Any, begin: Any, following: Any) -> Any:
    """Positions p >= begin such that text[p:] is the beginning of a longer string of the trie, which goes on with one
    of the bytes that `following`, (256,) bool, allows.

    `byte` and `skip` are those of `build_trie`.
    """
    found = np.empty(len(text) - begin, np.int64)
    count = 0
    for p in range(begin, len(text)):
        node, end = 0, len(byte)
        at = p
        while at < len(text) and node < end:
            while node < end and byte[node] != text[at]:
                node = skip[node]
            if node < end:
                end = skip[node]
                node += 1
                at += 1
        if at < len(text):
            continue
        while node < end and not following[byte[node]]:
            node = skip[node]
        if node < end:
            found[count] = p
            count += 1
    return found[:count]


@njit(cache=True, nogil=True)
def nodes_beyond(byte: Any, skip: Any, first: Any, text: Any, following: Any, limit: Any) -> Any:
    """The nodes at which strings end that are longer than `text`, begin with it and go on with one of the bytes that
    `following`, (256,) bool, allows. No more than `limit` + 1 of them are looked for.

    `byte`, `skip` and `first` are those of `build_trie`.
    """
    found = np.empty(limit + 1, np.int64)
    count = 0
    node, end = 0, len(byte)
    for at in range(len(text)):
        while node < end and byte[node] != text[at]:
            node = skip[node]
        if node >= end:
            return found[:0]
        end = skip[node]
        node += 1
    while node < end:
        if following[byte[node]]:
            for inner in range(node, skip[node]):
                if first[inner + 1] > first[inner]:
                    found[count] = inner
                    count += 1
                    if count > limit:
                        return found
        node = skip[node]
    return found[:count]
