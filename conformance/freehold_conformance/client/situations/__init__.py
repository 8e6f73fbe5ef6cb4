"""The situations, one module for each topic."""
