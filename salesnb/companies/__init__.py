"""The companies a team sells to: what is known of them, their kinds, and the odds of each."""
