"""What a stated load needs, computed from measured costs."""
