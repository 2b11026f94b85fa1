// Torch: see ARCHITECTURE.md.
