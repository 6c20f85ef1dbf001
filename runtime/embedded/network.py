"""The network that is trained: a Llama decoder in plain torch over flat tokens, exported under Hugging Face names.

A batch is one flat row of tokens that holds many sequences; `borders` (cumulative lengths) keeps them apart in attention.
"""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the decoder; the defaults make 15.73 million parameters, embeddings tied."""

    vocab_size: int = 4096
    hidden_size: int = 384
    num_layers: int = 12
    num_heads: int = 6
    num_kv_heads: int = 3
    intermediate_size: int = 640
    context: int = 2048
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-5

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_heads


def rope_tables(shape: Shape) -> tuple[Tensor, Tensor]:
    """Cosines and sines of every position, each (context, 1, D) float32."""
    half = torch.arange(0, shape.head_dim, 2, dtype=torch.float32) / shape.head_dim
    angles = torch.arange(shape.context, dtype=torch.float32)[:, None] * (shape.rope_theta**-half)
    angles = torch.cat((angles, angles), dim=-1)[:, None]
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    left, right = x.chunk(2, dim=-1)
    return x * cos.to(x.dtype) + torch.cat((-right, left), dim=-1) * sin.to(x.dtype)


def attend(q: Tensor, k: Tensor, v: Tensor, borders: Tensor, max_len: int) -> Tensor:
    """Causal attention within each sequence.

    Args:
        q, k, v: (N, H, D), as many key heads as query heads.
        borders: (S + 1,) int32, the first token of each sequence and the end; repeated entries are empty sequences.
    """
    if q.is_cuda:
        out = torch.ops.aten._flash_attention_forward(q, k, v, borders, borders, max_len, max_len, 0.0, True, False)
        return out[0]  # type: ignore[no-any-return]
    spans = itertools.pairwise(borders.tolist())
    parts = []
    for start, end in spans:
        if end > start:
            query, key, value = (x[start:end].transpose(0, 1)[None] for x in (q, k, v))
            parts.append(F.scaled_dot_product_attention(query, key, value, is_causal=True)[0].transpose(0, 1))
    return torch.cat(parts)


class RmsNorm(nn.Module):
    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return (wide * self.weight).to(x.dtype)


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        size, kv_size = shape.num_heads * shape.head_dim, shape.num_kv_heads * shape.head_dim
        self.q_proj = nn.Linear(shape.hidden_size, size, bias=False)
        self.k_proj = nn.Linear(shape.hidden_size, kv_size, bias=False)
        self.v_proj = nn.Linear(shape.hidden_size, kv_size, bias=False)
        self.o_proj = nn.Linear(size, shape.hidden_size, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, borders: Tensor) -> Tensor:
        weight = torch.cat((self.q_proj.weight, self.k_proj.weight, self.v_proj.weight))
        joined = F.linear(x, weight).view(x.shape[0], -1, self.shape.head_dim)
        sizes = [self.shape.num_heads, self.shape.num_kv_heads, self.shape.num_kv_heads]
        q, k, v = joined.split(sizes, dim=1)  # type: ignore[no-untyped-call]
        groups = self.shape.num_heads // self.shape.num_kv_heads
        q = rotate(q, cos, sin)
        k = rotate(k, cos, sin).repeat_interleave(groups, dim=1)
        out = attend(q, k, v.repeat_interleave(groups, dim=1), borders, self.shape.context)
        return self.o_proj(out.reshape(x.shape[0], -1))  # type: ignore[no-any-return]


class Mlp(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.down_proj = nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = F.linear(x, torch.cat((self.gate_proj.weight, self.up_proj.weight))).chunk(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)  # type: ignore[no-any-return]


class Layer(nn.Module):
    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.input_layernorm = RmsNorm(shape.hidden_size, shape.norm_eps)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = RmsNorm(shape.hidden_size, shape.norm_eps)
        self.mlp = Mlp(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, borders: Tensor) -> Tensor:
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), cos, sin, borders))
        return x + self.dropout(self.mlp(self.post_attention_layernorm(x)))  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Token ids to final hidden states; the head is the transposed embedding. `dropout` is the share of what attention and
    MLP add to the residual stream that is left out in training."""

    def __init__(self, shape: Shape, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.num_layers))
        self.norm = RmsNorm(shape.hidden_size, shape.norm_eps)
        cosines, sines = rope_tables(shape)
        self.register_buffer("cosines", cosines, persistent=False)
        self.register_buffer("sines", sines, persistent=False)
        self.apply(self._init)
        scale = (2 * shape.num_layers) ** -0.5
        for layer in self.layers:
            assert isinstance(layer, Layer)
            layer.self_attn.o_proj.weight.data.mul_(scale)
            layer.mlp.down_proj.weight.data.mul_(scale)

    @staticmethod
    def _init(module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5 * 0.7)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)

    def forward(self, ids: Tensor, positions: Tensor, borders: Tensor) -> Tensor:
        """ids, positions: (N,) int64. Returns (N, hidden)."""
        cos, sin = self.get_buffer("cosines")[positions], self.get_buffer("sines")[positions]
        x = self.embed_tokens(ids)
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))
        for layer in self.layers:
            x = layer(x, cos, sin, borders)
        return self.norm(x)  # type: ignore[no-any-return]

    def losses(self, ids: Tensor, positions: Tensor, borders: Tensor, learnt: Tensor) -> Tensor:
        """Cross-entropy of the tokens at the indices `learnt`, each predicted from the token before it: (K,) float32."""
        hidden = self.forward(ids, positions, borders)[learnt - 1]
        logits = F.linear(hidden, self.embed_tokens.weight)
        return F.cross_entropy(logits.float(), ids[learnt], reduction="none")


def hugging_face_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights as `LlamaForCausalLM` names them."""
    return {f"model.{name}": tensor for name, tensor in state.items()}
