"""What an S3 client's exceptions mean: a reason code, a detail, and whether trying again at once can help."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from schemas.reasons import Reason

# Codes as in the Amazon S3 API Reference, "Error responses", and botocore's standard retry mode.
_THROTTLING_CODES = frozenset(
    {
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequests",
        "TooManyRequestsException",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "ServiceUnavailable",
        "SlowDownRead",
    }
)
_DENIED_CODES = frozenset(
    {
        "AccessDenied",
        "AllAccessDisabled",
        "AccountProblem",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "InvalidObjectState",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    }
)
_MISSING_CODES = frozenset({"NoSuchKey", "NoSuchBucket", "NoSuchVersion"})
_CREDENTIAL_ERRORS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    ProfileNotFound,
    SSOError,
)
_TIMEOUTS = (ConnectTimeoutError, ReadTimeoutError, Urllib3TimeoutError, TimeoutError)


@dataclass(frozen=True)
class Failure:
    """Why a request failed.

    Args:
        reason: code for the quarantine.
        detail: names the object and what was wrong.
        transient: whether another try within seconds may succeed.
    """

    reason: Reason
    detail: str
    transient: bool


def failure_of(error: Exception, uri: str, endpoint_url: str | None = None) -> Failure:
    """Classify what botocore, urllib3 or the operating system raised for one request.

    Args:
        error: the exception.
        uri: the object asked for.
        endpoint_url: custom endpoint, to be named when it cannot be reached.
    """
    if isinstance(error, ClientError):
        return _answered_failure(error, uri)
    if isinstance(error, _CREDENTIAL_ERRORS):
        detail = f"{uri}: no usable AWS credentials ({error}); give the workers a role or AWS_ACCESS_KEY_ID"
        return Failure(Reason.ACCESS_DENIED, detail, transient=False)
    if isinstance(error, ParamValidationError):
        return Failure(Reason.BAD_URI, f"{uri}: {_one_line(error)}", transient=False)
    if isinstance(error, _TIMEOUTS):
        return Failure(Reason.TIMEOUT, f"{uri}: {_one_line(error)}", transient=True)
    if isinstance(error, EndpointConnectionError):
        where = endpoint_url or "the AWS endpoint"
        return Failure(Reason.FETCH_FAILED, f"{uri}: cannot reach {where}: {_one_line(error)}", transient=True)
    # Connection errors of botocore derive from HTTPClientError; short bodies and resets are OSErrors or HTTPErrors.
    transient = isinstance(error, (HTTPError, OSError)) or type(error).__name__ in _TRANSIENT_NAMES
    return Failure(Reason.FETCH_FAILED, f"{uri}: {type(error).__name__}: {_one_line(error)}", transient)


_TRANSIENT_NAMES = frozenset(
    {"ConnectionClosedError", "ConnectionError", "HTTPClientError", "ProxyConnectionError", "ResponseStreamingError"}
)


def _answered_failure(error: ClientError, uri: str) -> Failure:
    """Classify an answer of the store. HEAD answers have no body, so their code is the HTTP status."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    detail = f"{uri}: {code} (HTTP {status}) {message}".rstrip()
    if code in _THROTTLING_CODES or status in (429, 503):
        return Failure(Reason.THROTTLED, detail, transient=True)
    if code in _MISSING_CODES or status in (404, 410):
        return Failure(Reason.NOT_FOUND, detail, transient=False)
    if code in _DENIED_CODES or status in (401, 403):
        hint = "" if code in _DENIED_CODES - {"AccessDenied"} else "; S3 says so of missing keys too without ListBucket"
        return Failure(Reason.ACCESS_DENIED, detail + hint, transient=False)
    if code == "RequestTimeout" or status in (408, 504):
        return Failure(Reason.TIMEOUT, detail, transient=True)
    return Failure(Reason.FETCH_FAILED, detail, transient=status >= 500)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
