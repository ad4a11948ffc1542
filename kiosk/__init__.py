"""Everything that speaks HTTP or HTML: the doors, the screens, the staff pages and the relay."""
