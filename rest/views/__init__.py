"""The addresses of `/api/v1/`, by room."""
