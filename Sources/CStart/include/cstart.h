// Nothing to call: what this module does it does before `main`.
