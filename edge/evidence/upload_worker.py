"""The upload child: `python -m edge.evidence.upload_worker`. Reads pictures to put from its input, ends with it.

Alibaba's own client costs 12 MB and half a second of CPU on top of `requests`, so it is loaded here only. It does
one try: whether and when a picture is tried again is the queue's business.
"""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
import sys
from pathlib import Path
from typing import Any

import alibabacloud_oss_v2 as oss
import msgspec
import requests
from alibabacloud_oss_v2 import exceptions
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import SSLError
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from edge.evidence.child import LENGTH, serve_frame
from edge.evidence.upload_jobs import Look, Outcome, Put

NICE = 10  # a lane, a city link and the page come first
CONNECT_MAX_S = 10.0
SECRET_MAX_BYTES = 4096  # an STS token has about a thousand
DETAIL_MAX = 300


class _Believing(HTTPAdapter):
    """TLS with these authorities alone; "" those that `requests` brings along. The client has no setting for it."""

    def __init__(self, ca_file: str) -> None:
        self._ca_file = ca_file
        super().__init__()

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        return super().send(*args, **{**kwargs, "verify": self._ca_file or True})


class Uploader:
    def __init__(self) -> None:
        self._known: tuple[object, ...] = ()
        self._client: oss.Client | None = None

    def put(self, job: Put) -> Outcome:
        try:
            data = Path(job.path).read_bytes()
        except FileNotFoundError:
            return Outcome("gone")
        except OSError as error:
            return Outcome("unreadable", str(error))
        try:
            client = self._client_of(job)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            return Outcome("no_keys", str(error)[:DETAIL_MAX])
        request = oss.PutObjectRequest(
            bucket=job.bucket,
            key=job.key,
            acl=None if job.acl == "default" else job.acl,
            content_type="image/jpeg",
            content_md5=base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode(),
            body=data,
        )
        try:
            answer = client.put_object(request)
        except exceptions.OperationError as error:
            return _failed(error.unwrap())
        if not answer.etag or not answer.request_id:
            return Outcome("answered", "no ETag and request id in the answer", answer.status_code)
        return Outcome("stored", status=answer.status_code, etag=answer.etag.strip('"'))

    def look(self, job: Look) -> Outcome:
        """"answered" 404 NoSuchKey is the good end; "stored" that somebody who is not OSS says yes to everything."""
        try:
            client = self._client_of(job)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            return Outcome("no_keys", str(error)[:DETAIL_MAX])
        try:
            answer = client.get_object(oss.GetObjectRequest(bucket=job.bucket, key=job.key))
        except exceptions.OperationError as error:
            return _failed(error.unwrap())
        if answer.body is not None:
            answer.body.close()
        return Outcome("stored", status=answer.status_code)

    def _client_of(self, job: Look) -> oss.Client:
        """The client, with the keys as they stand in their files now."""
        keys = [_secret(name) for name in (job.key_id_file, job.key_secret_file, job.token_file)]
        known = (job.endpoint, job.region, job.signature, job.address, job.ca_file, job.timeout_s, *keys)
        if self._client is None or known != self._known:
            config = oss.config.load_default()
            config.credentials_provider = oss.credentials.StaticCredentialsProvider(keys[0], keys[1], keys[2] or None)
            config.endpoint, config.region, config.signature_version = job.endpoint, job.region, job.signature
            config.use_path_style, config.use_cname = job.address == "path", job.address == "cname"
            session = requests.Session()
            session.trust_env = False  # no proxy and no password of the environment
            session.mount("https://", _Believing(job.ca_file))
            config.http_client = oss.transport.RequestsHttpClient(
                session=session, connect_timeout=min(CONNECT_MAX_S, job.timeout_s), readwrite_timeout=job.timeout_s
            )
            config.retry_max_attempts = 1
            config.user_agent = "parkbox"
            self._client, self._known = oss.Client(config), known
        return self._client


def _secret(name: str) -> str:
    """"" for no name. Raises `ValueError` for a file that holds none."""
    if not name:
        return ""
    with open(name, encoding="utf-8") as file:
        text = file.read(SECRET_MAX_BYTES).strip()
    if not text:
        raise ValueError(f"{name}: is empty")
    return text


def _failed(error: Exception) -> Outcome:
    if isinstance(error, exceptions.ServiceError):
        code = error.code if error.code and error.code != "BadErrorResponse" else ""
        return Outcome("answered", str(error.message or "")[:DETAIL_MAX], int(error.status_code), code)
    if isinstance(error, exceptions.RequestError | exceptions.ResponseError):
        cause = error.unwrap()
        if isinstance(cause, SSLError) and (why := _not_believed(cause)):
            return Outcome("untrusted", why)
        return Outcome("unreachable" if _never_sent(cause) else "lost", _short(cause))
    if isinstance(error, exceptions.InconsistentError):
        return Outcome("lost", str(error)[:DETAIL_MAX])  # the checksum of what OSS got is another one
    return Outcome("unreachable", _short(error))


def _never_sent(cause: Exception | None) -> bool:
    """Nothing of the picture left the box: no address, no connection, no TLS."""
    if isinstance(cause, SSLError | NewConnectionError | ConnectTimeoutError):
        return True
    inner = cause.args[0] if isinstance(cause, NoConnection) and cause.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError | ConnectTimeoutError)


def _not_believed(error: BaseException) -> str:
    """Why its certificate was not taken, in OpenSSL's words; "" for another failure of TLS. `requests` and urllib3 wrap
    the reason three times."""
    inner: object = error
    while isinstance(inner, BaseException) and not isinstance(inner, ssl.SSLCertVerificationError):
        inner = getattr(inner, "reason", None) or (inner.args[0] if inner.args else None)
    return inner.verify_message if isinstance(inner, ssl.SSLCertVerificationError) else ""


def _short(error: Exception | None) -> str:
    return f"{type(error).__name__}: {error}"[:DETAIL_MAX]


def main() -> int:
    os.nice(NICE)
    uploader = Uploader()
    source, out = sys.stdin.buffer, sys.stdout.buffer
    serve_frame(out, b"")  # all is loaded
    while head := source.read(LENGTH.size):
        job = msgspec.msgpack.decode(source.read(LENGTH.unpack(head)[0]), type=Put | Look)
        outcome = uploader.put(job) if isinstance(job, Put) else uploader.look(job)
        serve_frame(out, msgspec.msgpack.encode(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
