"""Small routes under the names that clients and load balancers of vLLM, SGLang and SageMaker know."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from slipform.runtime.server.answers import documented
from slipform.runtime.server.operations import Freed, Readiness, flush_cache, ready
from slipform.runtime.server.routing import JsonRoute, json_answer
from slipform.runtime.server.services import services_of

router = APIRouter(route_class=JsonRoute, tags=["operations"])


class Version(BaseModel):
    version: str


class Load(BaseModel):
    server_load: int


class ModelInfo(BaseModel):
    """As SGLang's frontend asks for it."""

    model_path: str
    tokenizer_path: str
    is_generation: bool
    preferred_sampling_params: str | None
    weight_version: str


@router.get("/ping", response_model=None, responses=documented(Readiness))
async def ping(request: Request) -> Response:
    """As /ready."""
    return await ready(request)


@router.get("/version", response_model=None, responses=documented(Version))
async def version(request: Request) -> Response:
    """Of this server."""
    return json_answer({"version": services_of(request).fingerprint.removeprefix("slipform-")})


@router.get("/load", response_model=None, responses=documented(Load))
async def load(request: Request) -> Response:
    """How many sequences are in flight."""
    return json_answer({"server_load": services_of(request).engine.num_sequences})


@router.get("/get_model_info", response_model=None, responses=documented(ModelInfo))
async def get_model_info(request: Request) -> Response:
    """Which model is served."""
    name = services_of(request).settings.model_name
    return json_answer(
        {
            "model_path": name,
            "tokenizer_path": name,
            "is_generation": True,
            "preferred_sampling_params": None,
            "weight_version": "default",
        }
    )


@router.post("/reset_prefix_cache", response_model=None, responses=documented(Freed))
async def reset_prefix_cache(request: Request) -> Response:
    """As /flush_cache."""
    return await flush_cache(request)
