"""The demonstration: three shops' catalogues as plain data, and the pictures drawn for them.

Only the command line imports this package. It holds no action and touches no database: whoever seeds a
demonstration reads `content` and `illustrations` and calls the same actions an owner would.
"""
