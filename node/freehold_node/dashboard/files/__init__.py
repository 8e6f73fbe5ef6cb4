"""Files that a browser sends: one to import is held in memory for a while, one to bring back goes to the disk."""
