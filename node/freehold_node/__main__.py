"""``python -m freehold_node``: the command ``freehold``."""

from .cli import main

if __name__ == "__main__":
    main()
