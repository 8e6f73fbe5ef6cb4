"""A record before the person: in plain words to read, and as a form to write in."""
