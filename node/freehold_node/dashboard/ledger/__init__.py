"""What happened, before the person: a part of the ledger, as sentences and as a picture, and whether all is intact."""
