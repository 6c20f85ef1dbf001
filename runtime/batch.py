"""The input of one forward pass, whole and frozen."""

from dataclasses import dataclass

import torch

from slipform.kernels.attention_plan import AttentionPlan


@dataclass(frozen=True, slots=True)
class ForwardBatch:
    """Flat tokens of B sequences; T tokens in all. Prefill, extend and decode differ only in their lengths.

    Sequence i owns rows cu_seqlens[i]:cu_seqlens[i+1] of the flat tensors; those are its last tokens, and
    slot_table[i, :seq_lens[i]] holds the slots of all its tokens, these rows' own slots included.

    Attributes:
        input_ids: (T,) int64. positions: (T,) int64, index of each token in its sequence.
        out_slots: (T,) int64, slot that receives the token's K and V. On a GPU these and logits_rows are int32.
        cu_seqlens: (B+1,) int32. seq_lens: (B,) int32, tokens of each sequence after this step.
        slot_table: (B, max_seq_len) int32; entries past seq_lens[i] are not read.
        logits_rows: (N,) int64, flat rows whose logits are wanted, ascending.
        max_extend_len, max_seq_len: host-side maxima, for launch sizes.
        attention_plan: on a GPU, the tiles of attention, and the rows of slot_table (sequence i need not have row i).
            Tokens beyond cu_seqlens[B] are padding there, with slots of -1.
    """

    input_ids: torch.Tensor
    positions: torch.Tensor
    out_slots: torch.Tensor
    cu_seqlens: torch.Tensor
    seq_lens: torch.Tensor
    slot_table: torch.Tensor
    logits_rows: torch.Tensor
    max_extend_len: int
    max_seq_len: int
    attention_plan: AttentionPlan | None = None

    @property
    def num_tokens(self) -> int:
        return self.input_ids.shape[0]

    @property
    def num_sequences(self) -> int:
        return self.seq_lens.shape[0]
