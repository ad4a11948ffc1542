"""Everything that speaks HTTP or HTML: the gateway's endpoints, the API, screens, staff pages and background roles."""
