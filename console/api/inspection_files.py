"""Routes of an inspection's files: its record on paper, and photos."""

import asyncio
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from console.access import Principal, Requires, Right
from console.api.bodies import bounded
from console.api.documented import answers
from console.api.errors import not_found
from console.api.inspections_reading import ConsoleOf, InspectionId, Reads, within
from console.api.inspections_schemas import PhotoKept
from console.inspection_papers import paper_of
from console.inspections.paper import Language, Names
from console.inspections.photos import MOST_BYTES
from console.store.inspection_photos import keep_photo, photo

log = structlog.get_logger()
router = APIRouter(prefix="/v1", tags=["inspections"])

Works = Annotated[Principal, Depends(Requires(Right.INSPECTIONS_WORK))]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_WHOLE_BODY_S: Final = 60.0
_PRIVATE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_PDF: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/pdf": {"example": "%PDF-1.7…"}}}
}
_PICTURE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"image/*": {"example": "a picture"}}}
}
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}, "example": "a picture"}
        },
    }
}


@router.get(
    "/inspections/{inspection}/record.pdf",
    summary="The record on paper (biên bản)",
    response_class=Response,
    responses=_PDF | answers(404, 409),
)
def record(
    inspection: InspectionId,
    principal: Reads,
    console: ConsoleOf,
    lang: Language = "vi",
    alone: Annotated[
        bool, Query(description="Without the site's other places of that day.")
    ] = False,
) -> Response:
    """Of the newest check: A4, with rows to write names on. No name is asked for or kept."""
    line = within(console, principal, inspection)
    pdf = paper_of(console.store, inspection, lang, Names(), alone=alone, see=principal.has)
    name = f"bien-ban-{line.number}.pdf"
    headers = _PRIVATE | {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(pdf, media_type="application/pdf", headers=headers)


@router.put(
    "/inspections/{inspection}/photos/{sha256}",
    summary="A photo that a check names",
    responses=answers(404, 408, 409, 413),
    openapi_extra=_BODY,
)
async def keep(
    inspection: InspectionId, sha256: Digest, request: Request, principal: Works, console: ConsoleOf
) -> PhotoKept:
    """The body is the file: JPEG, PNG or WebP, at most 1 MiB. The same again changes nothing.
    Of it the picture is kept, without position, device or anything else that the camera wrote."""
    await asyncio.to_thread(within, console, principal, inspection)
    data = await _received(request)
    kind = await asyncio.to_thread(
        keep_photo, console.store, inspection, sha256, data, by=principal.by
    )
    log.info("inspection_photo", bytes=len(data))
    return PhotoKept(sha256=sha256, media_type=kind, bytes=len(data))


@router.get(
    "/inspections/{inspection}/photos/{sha256}",
    summary="A photo",
    response_class=Response,
    responses=_PICTURE | answers(404),
)
def show(
    inspection: InspectionId, sha256: Digest, principal: Reads, console: ConsoleOf
) -> Response:
    """The picture alone: its bytes are not those of the hash, which is the sent file's."""
    within(console, principal, inspection)
    found = photo(console.store, inspection, sha256)
    if found is None:
        raise not_found("Chưa nhận được ảnh này.", "This photo has not arrived.")
    return Response(
        found.data,
        media_type=found.media_type,
        headers=_PRIVATE | {"Content-Disposition": "attachment"},
    )


async def _received(request: Request) -> bytes:
    """The body whole. Raises ApiError: 408, 413."""
    most = MOST_BYTES >> 20
    too_large = (
        f"Ảnh tối đa {most} MiB: hãy thu nhỏ.",
        f"A photo has at most {most} MiB: make it smaller.",
    )
    return b"".join([p async for p in bounded(request, MOST_BYTES, _WHOLE_BODY_S, too_large)])
