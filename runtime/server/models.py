"""Which names the served model goes by, and the routes that list it."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from slipform.runtime.server.answers import documented
from slipform.runtime.server.http_errors import ApiError
from slipform.runtime.server.routing import JsonRoute, json_answer
from slipform.runtime.server.services import Services, services_of

router = APIRouter(route_class=JsonRoute, tags=["models"])


class Model(BaseModel):
    id: str
    object: str
    created: int
    owned_by: str
    root: str
    parent: str | None
    max_model_len: int | None


class ModelList(BaseModel):
    object: str
    data: list[Model]


def check_model(services: Services, name: str | None) -> str:
    """The name to answer with. Raises: ApiError 404 if the server has no model of this name."""
    settings = services.settings
    if name is None or name == settings.model_name or name in settings.aliases:
        return name or settings.model_name
    message = f"the model {name!r} does not exist here; this server has {settings.model_name!r}"
    raise ApiError(404, message, param="model", code="model_not_found")


@router.get("/v1/models", responses=documented(ModelList))
async def list_models(request: Request) -> Response:
    """The served model, under each of its names."""
    services = services_of(request)
    names = (services.settings.model_name, *services.settings.aliases)
    return json_answer({"object": "list", "data": [_described(services, name) for name in names]})


@router.get("/v1/models/{model_id:path}", responses=documented(Model))
async def get_model(request: Request, model_id: str) -> Response:
    """One model."""
    services = services_of(request)
    return json_answer(_described(services, check_model(services, model_id)))


def _described(services: Services, name: str) -> dict[str, Any]:
    engine = services.engine
    return {
        "id": name,
        "object": "model",
        "created": services.created,
        "owned_by": "slipform",
        "root": services.settings.model_name,
        "parent": None,
        "max_model_len": engine.info.max_context if engine.state == "ready" else None,
    }
