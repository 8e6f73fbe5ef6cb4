"""A grant before the person: how it stands, and the boxes and limits by which it is changed."""
