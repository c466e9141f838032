"""The operators' console: looking across shops for a stated reason, and the few things an operator may do."""
