"""One module for each repository of ivr/ports/. Rows come in and go out as values of the domain."""
