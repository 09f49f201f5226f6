"""Pictures drawn on the server: SVG of integers, each beside a table that says the same. Knows no screen."""
