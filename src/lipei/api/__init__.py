"""The API for programs, ``/api/v1``: drawn from the lifecycle table and the commands, described by OpenAPI."""
