"""How things look in JSON (`…Serializer`) and what may be sent (`…Input`), by room."""
