"""Llama and the models that differ from it by a flag: Mistral (window), Qwen2 (biases), Qwen3 (norms of heads).

norm ──► qkv ──► rope + KV store ──► attention ──► output ──► add + norm ──► gate, up ──► silu·mul ──► down ─┐
 ▲                                       next layer, with an addition to the residual stream                 │
 └───────────────────────────────────────────────────────────────────────────────────────────────────────────┘
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from slipform.errors import ConfigError
from slipform.kernels.decoder_cpu import Decoder, DecoderLayer
from slipform.kernels.interface import Kernels, kernels_for
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.models.config import ModelConfig
from slipform.runtime.models.interface import KVTensors
from slipform.runtime.models.layers import Projection, projections
from slipform.runtime.models.rotary import RotaryTable
from slipform.runtime.models.weights import WeightSource


@dataclass(frozen=True, slots=True)
class LlamaFlags:
    """Where the members of the family differ.

    Attributes:
        windows: per layer, tokens that a query sees (itself included); 0 is no bound.
    """

    qkv_bias: bool
    output_bias: bool
    mlp_bias: bool
    head_norms: bool
    windows: tuple[int, ...]


def flags_of(config: ModelConfig) -> LlamaFlags | None:
    """The flags of a member of the family, or None for any other model."""
    hf = config.hf
    if getattr(hf, "hidden_act", None) != "silu":
        return None
    layers = config.num_layers
    match config.architecture:
        case "LlamaForCausalLM":
            bias = hf.attention_bias
            return LlamaFlags(bias, bias, hf.mlp_bias, False, (0,) * layers)
        case "MistralForCausalLM":
            return LlamaFlags(False, False, False, False, (hf.sliding_window or 0,) * layers)
        case "Qwen2ForCausalLM":
            return LlamaFlags(True, False, False, False, _windows_by_layer(hf))
        case "Qwen3ForCausalLM":
            return LlamaFlags(hf.attention_bias, hf.attention_bias, False, True, _windows_by_layer(hf))
    return None


def _windows_by_layer(hf: Any) -> tuple[int, ...]:
    return tuple((hf.sliding_window or 0) if kind == "sliding_attention" else 0 for kind in hf.layer_types)


@dataclass(frozen=True, slots=True)
class _Projections:
    """The projections of a layer as a GPU uses them."""

    qkv: Projection
    output: Projection
    gate_up: Projection
    down: Projection


class LlamaModel:
    """A member of the family, ready to run. `forward` is safe to call from one thread at a time."""

    def __init__(
        self,
        config: ModelConfig,
        flags: LlamaFlags,
        checkpoint: WeightSource,
        *,
        dtype: torch.dtype,
        device: torch.device,
        batch_invariant: bool = False,
    ) -> None:
        """`batch_invariant`: for GPUs: a token's result does not depend on the batch, given such an attention plan.

        Raises: ConfigError if a weight is missing or has another shape than the configuration says."""
        if config.num_heads % config.num_kv_heads:
            raise ConfigError(
                f"{config.num_heads} query heads are no multiple of {config.num_kv_heads} KV heads", field="model"
            )
        self.config = config
        self.dtype = dtype
        self.device = device
        self._kernels: Kernels = kernels_for(device)
        self._eps: float = config.hf.rms_norm_eps
        self._rotary = RotaryTable(config.hf, config.head_dim, config.max_position, device)
        hidden, vocab = config.hidden_size, config.vocab_size
        self._embedding = checkpoint.take("model.embed_tokens.weight", (vocab, hidden))
        layers = (_read_layer(config, flags, checkpoint, index) for index in range(config.num_layers))
        self._final_norm = checkpoint.take("model.norm.weight", (hidden,))
        if config.hf.tie_word_embeddings:
            checkpoint.ignore("lm_head.weight")
            head = self._embedding
        else:
            head = checkpoint.take("lm_head.weight", (vocab, hidden))
        # Older checkpoints carry the buffer of frequencies, which the configuration determines.
        for index in range(config.num_layers):
            checkpoint.ignore(f"model.layers.{index}.self_attn.rotary_emb.inv_freq")
        self._decoder: Decoder | None = None
        if device.type == "cpu":
            self._decoder = Decoder(
                layers,
                self._final_norm,
                head,
                num_heads=config.num_heads,
                num_kv_heads=config.num_kv_heads,
                head_dim=config.head_dim,
                eps=self._eps,
            )
        else:
            self._keep_layers(layers, head, batch_invariant)
        checkpoint.finish()

    def _keep_layers(self, layers: Iterable[DecoderLayer], head: Tensor, batch_invariant: bool) -> None:
        kept = list(layers)
        (self._head,) = projections([(head, None)], batch_invariant=batch_invariant)
        weights = (
            [(layer.qkv, layer.qkv_bias) for layer in kept],
            [(layer.output, layer.output_bias) for layer in kept],
            [(layer.gate_up, layer.gate_up_bias) for layer in kept],
            [(layer.down, layer.down_bias) for layer in kept],
        )
        columns = [projections(pairs, batch_invariant=batch_invariant) for pairs in weights]
        self._projections = [_Projections(*parts) for parts in zip(*columns, strict=True)]
        self._norms = [
            (layer.input_norm, layer.query_norm, layer.key_norm, layer.mlp_norm, layer.window) for layer in kept
        ]

    @torch.inference_mode()
    def forward(self, batch: ForwardBatch, pool: KVTensors) -> Tensor:
        """See `CausalModel.forward`."""
        if self._decoder is None:
            return self._head(self._states_by_operation(batch, pool))
        return self._decode(self._decoder, batch, pool)

    @torch.inference_mode()
    def states(self, batch: ForwardBatch, pool: KVTensors) -> Tensor:
        """See `StatesModel.states`."""
        if self._decoder is None:
            return self._states_by_operation(batch, pool).float()
        return self._decode(self._decoder, batch, pool, states=True)

    def _decode(self, decoder: Decoder, batch: ForwardBatch, pool: KVTensors, *, states: bool = False) -> Tensor:
        """The pass on a CPU."""
        cos_sin = self._rotary.reserve(batch.max_seq_len)
        return decoder(
            self._embedding.index_select(0, batch.input_ids),
            batch.positions,
            cos_sin,
            batch.out_slots,
            batch.slot_table,
            batch.cu_seqlens,
            batch.seq_lens,
            batch.logits_rows,
            pool.keys,
            pool.values,
            states=states,
        )

    def _states_by_operation(self, batch: ForwardBatch, pool: KVTensors) -> Tensor:
        """The pass on a GPU, one kernel after the other, up to the head."""
        cos_sin = self._rotary.reserve(batch.max_seq_len)
        residual = self._embedding.index_select(0, batch.input_ids)
        kernels, eps = self._kernels, self._eps
        heads, kv_heads, dim = self.config.num_heads, self.config.num_kv_heads, self.config.head_dim
        tokens, rows = batch.num_tokens, batch.logits_rows
        scale = dim**-0.5
        x = residual
        for index, (project, norms) in enumerate(zip(self._projections, self._norms, strict=True)):
            input_norm, query_norm, key_norm, mlp_norm, window = norms
            if index:
                x = kernels.add_rms_norm(x, residual, input_norm, eps)
            else:
                x = kernels.rms_norm(residual, input_norm, eps)
            projected = project.qkv(x).view(tokens, heads + 2 * kv_heads, dim)
            query, key, value = projected.split_with_sizes((heads, kv_heads, kv_heads), dim=1)
            keys, values = pool.keys[index], pool.values[index]
            scales = None if pool.scales is None else pool.scales[index]
            kernels.rope_store_kv(
                query,
                key,
                value,
                batch.positions,
                cos_sin,
                keys,
                values,
                batch.out_slots,
                query_norm=query_norm,
                key_norm=key_norm,
                eps=eps,
                kv_scales=scales,
            )
            attended = kernels.attention(
                query,
                keys,
                values,
                batch.slot_table,
                batch.cu_seqlens,
                batch.seq_lens,
                scale=scale,
                window=window,
                max_extend_len=batch.max_extend_len,
                plan=batch.attention_plan,
                kv_scales=scales,
            )
            attended = attended.view(tokens, heads * dim)
            if index == len(self._norms) - 1 and rows.shape[0] != tokens:
                # From here on the last layer works on single rows, and only some rows' logits are wanted.
                attended, residual = attended.index_select(0, rows), residual.index_select(0, rows)
            x = project.output(attended)
            x = kernels.add_rms_norm(x, residual, mlp_norm, eps)
            x = project.down(kernels.silu_and_mul(project.gate_up(x)))
        return kernels.add_rms_norm(x, residual, self._final_norm, eps)


def _read_layer(config: ModelConfig, flags: LlamaFlags, checkpoint: WeightSource, index: int) -> DecoderLayer:
    prefix = f"model.layers.{index}"
    hidden, inner = config.hidden_size, config.hf.intermediate_size
    query_size, kv_size = config.num_heads * config.head_dim, config.num_kv_heads * config.head_dim
    qkv = {"self_attn.q_proj": query_size, "self_attn.k_proj": kv_size, "self_attn.v_proj": kv_size}
    output, down = {"self_attn.o_proj": hidden}, {"mlp.down_proj": hidden}
    gate_up = {"mlp.gate_proj": inner, "mlp.up_proj": inner}

    def weight(names: dict[str, int], inputs: int) -> Tensor:
        return checkpoint.stack([(f"{prefix}.{name}.weight", (rows, inputs)) for name, rows in names.items()])

    def bias(names: dict[str, int], there: bool) -> Tensor | None:
        if not there:
            return None
        return checkpoint.stack([(f"{prefix}.{name}.bias", (rows,)) for name, rows in names.items()])

    def norm(name: str, size: int) -> Tensor:
        return checkpoint.take(f"{prefix}.{name}.weight", (size,))

    return DecoderLayer(
        input_norm=norm("input_layernorm", hidden),
        qkv=weight(qkv, hidden),
        qkv_bias=bias(qkv, flags.qkv_bias),
        query_norm=norm("self_attn.q_norm", config.head_dim) if flags.head_norms else None,
        key_norm=norm("self_attn.k_norm", config.head_dim) if flags.head_norms else None,
        window=flags.windows[index],
        output=weight(output, query_size),
        output_bias=bias(output, flags.output_bias),
        mlp_norm=norm("post_attention_layernorm", hidden),
        gate_up=weight(gate_up, hidden),
        gate_up_bias=bias(gate_up, flags.mlp_bias),
        down=weight(down, inner),
        down_bias=bias(down, flags.mlp_bias),
    )
