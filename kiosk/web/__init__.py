"""What every endpoint shares: reading bodies, problem documents, headers, templates, static files."""
