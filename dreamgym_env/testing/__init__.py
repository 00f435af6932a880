"""What a user's own tests and benchmarks may borrow: contract tests, a tiny model, a language-model server."""
