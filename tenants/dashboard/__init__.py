"""The dashboard: what staff see and tap, area by area. Rules live in the engine's actions and in this package's own."""
