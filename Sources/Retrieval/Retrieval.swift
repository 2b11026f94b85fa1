// Retrieval: see ARCHITECTURE.md.
