#!/bin/bash
# Makes the Swift code of milvus.proto anew. It wants `protoc` (Debian: protobuf-compiler) and two of its plugins, which a clone of
# grpc-swift-protobuf builds: `swift build --product protoc-gen-swift` and `swift build --product protoc-gen-grpc-swift-2`. Made last with
# protoc 3.21.12, swift-protobuf 1.39.0 and grpc-swift-protobuf 2.4.1.
# Usage: generate.sh FOLDER-OF-THE-PLUGINS
set -euo pipefail
plugins=$(realpath "${1:?the folder with protoc-gen-swift and protoc-gen-grpc-swift-2}")
cd "$(dirname "$0")"
protoc --plugin="$plugins/protoc-gen-swift" --plugin="$plugins/protoc-gen-grpc-swift-2" --proto_path=. milvus.proto \
    --swift_out=. --swift_opt=Visibility=Internal,UseAccessLevelOnImports=true \
    --grpc-swift-2_out=. --grpc-swift-2_opt=Visibility=Internal,UseAccessLevelOnImports=true,Server=false
for file in milvus.pb.swift milvus.grpc.swift; do
    # A build without the trait has no module that they could import.
    { echo "// swift-format-ignore-file"; echo "#if Milvus"; cat "$file"; echo "#endif"; } > "$file.partial"
    mv "$file.partial" "$file"
done
