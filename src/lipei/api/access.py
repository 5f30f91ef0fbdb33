"""Who calls: bearer tokens and what each may be used for."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer

from lipei.api.problems import Problem
from lipei.services import tokens
from lipei.services.tokens import Token


class Bearer(HttpBearer):
    """A token with one of the scopes that a call asks for. 401 without a token that holds, 403 without the scope."""

    def __init__(self, *scopes: str) -> None:
        super().__init__()
        self.scopes = scopes

    def __call__(self, request: HttpRequest) -> Token:
        said = request.headers.get("Authorization", "")
        scheme, _, secret = said.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Problem(401, "refusal.token_missing")
        return self.authenticate(request, secret.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Token:
        """The token of a secret. Raises Problem."""
        found = tokens.find(token) if token.isascii() and len(token) < 200 else None
        if found is None:
            raise Problem(401, "refusal.token_wrong")
        if not found.scopes & set(self.scopes):
            scope = self.scopes[0]
            raise Problem(403, "refusal.token_scope", {"permission": scope}, more={"permission": scope})
        return found


class Claims(Bearer):
    """The name under which the description lists our tokens."""


READ = Claims("claims:read")
WRITE = Claims("claims:write")
UPLOAD = Claims("documents:write")
WORK = Claims("worklist:read")
HOOKS = Claims("webhooks:write")


def token_of(request: HttpRequest) -> Token:
    """The token that `Bearer` let in."""
    found: Token = request.auth  # type: ignore[attr-defined]
    return found
