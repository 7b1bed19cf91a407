"""What the two HTTP adapters share: a client that keeps secrets, and bodies of bounded size."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import AsyncIterator

import httpx

from entro_nb.streams.adapters.base import LostError
from entro_nb.streams.adapters.policy import USER_AGENT, Policy
from entro_nb.streams.source import Source

__all__ = ["client", "media_type", "reason_of", "send", "unpacked"]

#: Redirections followed in a row.
HOPS = 5


class _Keyed(httpx.AsyncHTTPTransport):
    """Puts a stream's secrets into requests, below what httpx logs and shows in its errors.

    Only requests to the host that they belong to get them: a redirection may lead elsewhere.
    """

    def __init__(self, source: Source, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls)
        self.source, self.origin = source, _origin(httpx.URL(source.endpoint))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if _origin(request.url) != self.origin:
            return await super().handle_async_request(request)
        url, headers = request.url, request.headers.copy()
        for credential in self.source.credentials:
            if (secret := credential.secret()) is None:
                continue
            if credential.place == "query":
                url = url.copy_merge_params({credential.field: secret})
            else:
                headers[credential.field] = secret
        keyed = httpx.Request(
            request.method,
            url,
            headers=headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await super().handle_async_request(keyed)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def client(source: Source, policy: Policy, tls: ssl.SSLContext) -> httpx.AsyncClient:
    """HTTP client of a stream."""
    return httpx.AsyncClient(
        transport=_Keyed(source, tls),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
        timeout=policy.timeout,
    )


async def send(
    client: httpx.AsyncClient, url: str, headers: dict[str, str], *, read: float
) -> httpx.Response:
    """Answer to a GET with its body still to come, redirections followed.

    Raises
    ------
    LostError
        If there are too many redirections, or one leaves HTTPS.
    """
    patience = client.timeout
    timeout = httpx.Timeout(patience.connect, read=read, write=patience.write, pool=patience.pool)
    request = client.build_request("GET", url, headers=headers, timeout=timeout)
    for _ in range(HOPS):
        response = await client.send(request, stream=True)
        if response.next_request is None:
            return response
        await response.aclose()
        follow = response.next_request
        if request.url.scheme == "https" and follow.url.scheme != "https":
            raise LostError("redirected away from a secure connection")
        request = follow
    raise LostError("redirected too often")


def media_type(response: httpx.Response) -> str:
    """Media type of an answer, without its parameters."""
    header: str = response.headers.get("content-type", "")
    return header.partition(";")[0].strip().lower()


async def unpacked(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    """Body of an answer, chunk by chunk, gzip undone; no chunk is larger than the limit.

    Raises
    ------
    LostError
        If the encoding is another, broken, or hides more than `limit` bytes in one chunk.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        async for chunk in response.aiter_raw():
            yield chunk
        return
    if encoding not in ("gzip", "x-gzip"):
        raise LostError("an encoding that was not asked for")
    inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        async for chunk in response.aiter_raw():
            yield inflate.decompress(chunk, limit)
            if inflate.unconsumed_tail:
                raise LostError(f"a message of more than {limit} bytes")
    except zlib.error:
        raise LostError("a broken encoding") from None
    if not inflate.eof:
        raise LostError("cut off")


def reason_of(error: Exception, seconds: float) -> str:
    """Why a request failed, in a few words; never the URL."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate refused: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    match error:
        case LostError():
            return error.reason
        case httpx.ConnectTimeout():
            return "no connection in time"
        case TimeoutError() | httpx.TimeoutException():
            return f"silent for {seconds:g} s"
        case httpx.ConnectError():
            return "no connection"
        case httpx.RemoteProtocolError() | httpx.ReadError():
            return "cut off"
    return f"no valid answer: {type(error).__name__}"
