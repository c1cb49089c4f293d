"""Goals of the company against what the team does."""
