"""Staff logins, sessions and passwords: the rules, without HTML."""
