"""Long proofs: what must hold while processes die and come back. `make soak` runs them in full."""
