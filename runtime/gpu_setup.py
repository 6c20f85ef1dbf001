"""Putting the parts of a GPU's steps together."""

from slipform.runtime.cuda_graph import RecordedSteps, step_sizes
from slipform.runtime.device_steps import EngineParts
from slipform.runtime.gpu_batch import GpuBatchBuilder
from slipform.runtime.gpu_masks import GpuMasks
from slipform.runtime.gpu_sampler import GpuSampler
from slipform.runtime.gpu_steps import GpuSteps

# Launching an eager pass takes the host 5 to 8 ms (measured beside an H100). Steps of more tokens than these hide that
# behind their computation, also where 256 constrained sequences keep the host busy with their forced tokens.
MAX_RECORDED_TOKENS = 1024
MAX_RECORDED_TOKENS_SMALL, SMALL_PARAMETERS = 2048, 3_000_000_000


def make_gpu_steps(parts: EngineParts) -> GpuSteps:
    """See `device_steps.make_device_steps`."""
    sampler = parts.sampler
    assert isinstance(sampler, GpuSampler)
    config, model = parts.config, parts.runner.model
    builder = GpuBatchBuilder(
        parts.cache, token_budget=config.token_budget, attention=parts.attention, device=model.device
    )
    masks = GpuMasks(parts.vocabulary, parts.constraints, model.device)
    recorded = None
    if config.cuda_graphs:
        # Of a decoder layer, roughly.
        parameters = 12 * model.config.hidden_size**2 * model.config.num_layers
        limit = MAX_RECORDED_TOKENS_SMALL if parameters < SMALL_PARAMETERS else MAX_RECORDED_TOKENS
        sizes = step_sizes(min(limit, config.token_budget))
        recorded = RecordedSteps(parts.runner, builder, sampler, masks, sizes)
    return GpuSteps(parts, builder, sampler, masks, recorded)
