"""Two real tokenizers from mistral-common's package data: SentencePiece with 32,000 tokens, byte-level with 131,072."""

from functools import lru_cache
from importlib.resources import files

import sentencepiece
from mistral_common.tokens.tokenizers.tekken import Tekkenizer

from slipform.grammars.vocabulary import Vocabulary


@lru_cache(maxsize=1)
def sentencepiece_vocabulary() -> Vocabulary:
    """Byte-pair encoding over characters, spaces as U+2581, bytes as fallback."""
    model = sentencepiece.SentencePieceProcessor()
    model.LoadFromSerializedProto((files("mistral_common") / "data" / "tokenizer.model.v1").read_bytes())
    tokens, special = [], []
    for token in range(model.vocab_size()):
        piece = model.id_to_piece(token)
        if model.is_control(token) or model.is_unknown(token) or model.is_unused(token):
            special.append(token)
            tokens.append(b"")
        elif model.is_byte(token):
            tokens.append(bytes([int(piece[3:5], 16)]))
        else:
            tokens.append(piece.replace("\u2581", " ").encode())
    return Vocabulary.from_tokens(tokens, special, [model.eos_id()], encode=model.encode)


@lru_cache(maxsize=1)
def tekken_vocabulary() -> Vocabulary:
    """Byte-pair encoding over bytes, behind a regex that cuts the text into words first."""
    tokenizer = Tekkenizer.from_file(str(files("mistral_common") / "data" / "tekken_240911.json"))
    special = range(tokenizer.num_special_tokens)
    tokens = [b"" if token in special else tokenizer.id_to_byte_piece(token) for token in range(tokenizer.n_words)]
    return Vocabulary.from_tokens(
        tokens, special, [tokenizer.eos_id], encode=lambda text: tokenizer.encode(text, bos=False, eos=False)
    )
