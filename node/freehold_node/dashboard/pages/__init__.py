"""One module for each group of pages, one function for each path; which path leads to which is in ``routes``."""
