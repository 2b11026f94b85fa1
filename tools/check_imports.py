"""Checks the rules of ARCHITECTURE.md over the import lines of Sources/. Exit 1 and a line per fault where one is broken."""

import pathlib
import re
import sys

SOURCES = pathlib.Path(__file__).resolve().parents[1] / "Sources"

# What each module may import of ours. An arrow that is not here does not exist.
ALLOWED = {
    "Imaging": {"CImaging"},
    "TensorFiles": {"CZlib"},
    "Hashing": {"CCrypto"},
    "Hub": {"CCurl", "Hashing"},
    "Catalog": {"CStemmer", "Hashing"},
    "Retrieval": {"CVector", "TensorFiles", "Hashing"},
    "Milvus": {"Retrieval"},
    "Search": {"Imaging", "Catalog", "Retrieval"},
    "Atelier": {"Imaging", "CCairo"},
    "Report": {"Retrieval", "Imaging", "CCairo"},
    "API": {"Search", "Catalog", "Imaging"},
    "StyleFinderClient": set(),
    "Tokenizers": {"CZlib", "Hashing"},
    "Torch": {"CTorch", "TensorFiles"},
    "CLIP": {"Torch", "Tokenizers", "Imaging", "TensorFiles", "Hashing"},
    "Evaluation": {"CLIP", "Imaging", "Catalog", "Retrieval"},
    "Training": {"Evaluation", "CLIP", "Tokenizers", "Torch", "Imaging", "Catalog", "Retrieval", "TensorFiles", "Hashing"},
    "Inference": {"CLIP", "Search", "Imaging", "Catalog", "Retrieval"},
    "stylefinder": {
        "Imaging", "TensorFiles", "Catalog", "Retrieval", "Search", "Atelier", "Report", "API", "Hub", "Torch", "Tokenizers", "CLIP",
        "Evaluation", "Training", "Inference", "Milvus",
    },
}
OURS = set(ALLOWED) | {"CImaging", "CCrypto", "CVector", "CCairo", "CTorch", "CInt8", "CZlib", "CCurl", "CStemmer", "CStart"}
FORBIDDEN_NAMES = re.compile(r"utils?|helpers?|common|shared|misc|manager", re.IGNORECASE)
IMPORT = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?import\s+(?:\w+\s+)?(\w+)")


def main():
    faults = []
    for folder in sorted(path for path in SOURCES.iterdir() if path.is_dir()):
        module = folder.name
        if module not in OURS:
            faults.append(f"Sources/{module} is not in ARCHITECTURE.md's list of modules")
            continue
        for path in sorted(folder.rglob("*.swift")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                found = IMPORT.match(line)
                if found and found[1] in OURS and found[1] not in ALLOWED.get(module, set()):
                    faults.append(f"{path.relative_to(SOURCES.parent)}:{number}: {module} may not import {found[1]}")
        for path in sorted([folder, *folder.rglob("*")]):
            # Whole words only: "SharedMemory" names a thing, "Shared" a drawer.
            if FORBIDDEN_NAMES.fullmatch(path.stem):
                faults.append(f"{path.relative_to(SOURCES.parent)}: a name that says nothing about what is inside")
    print("\n".join(faults) if faults else "imports: every arrow runs as ARCHITECTURE.md says")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
