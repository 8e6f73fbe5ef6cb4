"""One module for each group of pages; which path leads to which is in ``routes``."""
