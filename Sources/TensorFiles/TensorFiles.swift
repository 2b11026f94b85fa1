// TensorFiles: see ARCHITECTURE.md.
