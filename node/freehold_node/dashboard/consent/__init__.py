"""A request before the person: who asks, what is asked, what they tick, and what that would give."""
