"""The proof that images do not block the command loop; `program` is what `make proof` runs."""
