// Search: see ARCHITECTURE.md.
