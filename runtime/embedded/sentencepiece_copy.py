"""The tokenizer once more as `tokenizer.model`, in SentencePiece's form, for readers that know no other custom vocabulary.

llama.cpp's converter recognises byte-level BPE by a hash of what a vocabulary makes of one text, so that it reads only
vocabularies on its list from `tokenizer.json`; a SentencePiece model it reads whatever that holds.

    python -m slipform.runtime.embedded.sentencepiece_copy runtime/embedded/model

Ids are the same. A merge becomes a piece whose score falls with its rank, so that SentencePiece's BPE (Kudo and Richardson
2018) joins in the same order, and the bytes become byte pieces. Two things have no counterpart. Tokens that end inside a
character are no text and cannot be pieces: such characters come out in bytes. And the text is not split before it is
merged, which shows only where tokens of two kinds of character could join: the punctuation of JSON behind other marks.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from sentencepiece import sentencepiece_model_pb2
from transformers.convert_slow_tokenizer import bytes_to_unicode

FILE_NAME = "tokenizer.model"
BLANK = "\u2581"  # how SentencePiece writes a space
proto: Any = sentencepiece_model_pb2  # its classes are made when it is imported
Piece = proto.ModelProto.SentencePiece


def model_of(tokenizer: dict[str, Any]) -> bytes:
    """A serialised `ModelProto` that encodes as the byte-level BPE of `tokenizer`, the content of a `tokenizer.json`.

    Raises: ValueError without special tokens, or without a token that ends inside a character (see below).
    """
    byte_of = {letter: byte for byte, letter in bytes_to_unicode().items()}
    special = [token["content"] for token in tokenizer["added_tokens"]]
    if not special:
        raise ValueError("one special token must serve as SentencePiece's unknown piece, and there is none")
    ids: dict[str, int] = tokenizer["model"]["vocab"]
    rank = {"".join(pair): number for number, pair in enumerate(tokenizer["model"]["merges"])}
    model = proto.ModelProto()
    # Every byte must have its piece, and the space has one already: its byte piece takes a place that is never encoded to.
    place_of_space_byte = None
    for number, (token, token_id) in enumerate(sorted(ids.items(), key=lambda item: item[1])):
        if number != token_id:
            raise ValueError(f"id {number} has no token")
        if token in special:
            kind = Piece.UNKNOWN if token == special[0] else Piece.CONTROL
            model.pieces.add(piece=token, score=0.0, type=kind)
            continue
        raw = bytes(byte_of[letter] for letter in token)
        if raw != b" " and len(raw) == 1:
            model.pieces.add(piece=_byte_piece(raw[0]), score=0.0, type=Piece.BYTE)
            continue
        try:
            text = raw.decode("utf-8").replace(" ", BLANK)
        except UnicodeDecodeError:
            if place_of_space_byte is None:
                place_of_space_byte = token_id
                model.pieces.add(piece=_byte_piece(ord(" ")), score=0.0, type=Piece.BYTE)
            else:
                model.pieces.add(piece=f"<unused {token_id}>", score=0.0, type=Piece.UNUSED)
            continue
        score = -1.0 - rank[token] if token in rank else -1.0 - len(rank)
        model.pieces.add(piece=text, score=score, type=Piece.NORMAL)
    if place_of_space_byte is None:
        raise ValueError("no token ends inside a character, so that no place is left for the byte piece of the space")
    _describe(model, special)
    return bytes(model.SerializeToString())


def _byte_piece(byte: int) -> str:
    return f"<0x{byte:02X}>"


def _describe(model: Any, special: list[str]) -> None:
    """BPE over bytes, the text as it is: nothing normalised, added or dropped."""
    model.trainer_spec.model_type = proto.TrainerSpec.BPE
    model.trainer_spec.vocab_size = len(model.pieces)
    model.trainer_spec.byte_fallback = True
    model.trainer_spec.unk_id, model.trainer_spec.unk_piece = 0, special[0]
    model.trainer_spec.bos_id = model.trainer_spec.eos_id = model.trainer_spec.pad_id = -1
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.add_dummy_prefix = False
    model.normalizer_spec.remove_extra_whitespaces = False
    model.normalizer_spec.escape_whitespaces = True


def save(directory: Path) -> None:
    """Write `tokenizer.model` beside the directory's `tokenizer.json`."""
    tokenizer = json.loads((directory / "tokenizer.json").read_text(encoding="utf-8"))
    (directory / FILE_NAME).write_bytes(model_of(tokenizer))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="holds a tokenizer.json")
    save(parser.parse_args().directory)


if __name__ == "__main__":
    main()
