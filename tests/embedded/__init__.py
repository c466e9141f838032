"""The launchers, the roles, the settings and `make run`, against real servers in folders of their own."""
