"""The person's side in a browser: pages that the node renders, over the same operations as the command line."""
