#!/bin/bash
# Installs what is missing, and nothing else: for the build C libraries from Debian and libtorch out of PyTorch's Python wheel; with `web` what
# builds the page; with `browser` what tests it. Idempotent. Usage: tools/bootstrap.sh TORCH_VERSION [web] [browser]
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:-2.13.0}
wanted=" ${*:2} "
deps=$PWD/.deps

fail() {
    echo "bootstrap: $1" >&2
    shift
    for way in "$@"; do echo "  - $way" >&2; done
    exit 1
}

# Swift
command -v swift >/dev/null || fail "swift is not on the PATH." "Install Swift 6.1 or later from swift.org."
said=$(swift --version 2>&1 || true)
swift_version=$(sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' <<<"$said" | head -1)
[ -n "$swift_version" ] || fail "swift does not run: $(head -1 <<<"$said")" "Install what swift.org lists for your system beside the toolchain."
if [ "$(printf '%s\n6.1\n' "$swift_version" | sort -V | head -1)" != 6.1 ]; then
    fail "Swift $swift_version is too old, 6.1 or later is needed." "Install a later one from swift.org."
fi

# Debian's packages: C libraries for the build, tools for the page
if [ "$(uname)" = Linux ]; then
    declare -A headers=(
        [libjpeg62-turbo-dev]=jpeglib.h [libpng-dev]=png.h [libwebp-dev]=webp/decode.h [zlib1g-dev]=zlib.h [libsqlite3-dev]=sqlite3.h
        [libcairo2-dev]=cairo/cairo.h [libssl-dev]=openssl/evp.h [libcurl4-openssl-dev]=curl/curl.h
        [libstemmer-dev]=libstemmer.h)
    missing=()
    # A Swift toolchain brings clang, and not always a cc.
    compiler=$(command -v cc || command -v clang) || fail "there is no C compiler." "apt-get install clang"
    for package in "${!headers[@]}"; do
        echo "#include <stddef.h>
#include <stdio.h>
#include <${headers[$package]}>" | "$compiler" -E -x c++ - >/dev/null 2>&1 || missing+=("$package")
    done
    # The package manager asks pkg-config where cairo's headers lie.
    command -v pkg-config >/dev/null || missing+=(pkg-config)
    # libtorch comes out of a Python wheel; the tests' references have an environment of their own.
    command -v python3 >/dev/null || missing+=(python3)
    python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing+=(python3-venv)
    if [[ $wanted == *" web "* ]]; then
        command -v tsc >/dev/null || missing+=(node-typescript)
        command -v esbuild >/dev/null || missing+=(esbuild)
        [ -d /usr/share/nodejs/react ] || missing+=(node-react)
        [ -d /usr/share/nodejs/react-dom ] || missing+=(node-react-dom)
        [ -d /usr/share/nodejs/@types/prop-types ] || missing+=(node-prop-types)
        [ -d /usr/share/nodejs/csstype ] || missing+=(node-csstype)
    fi
    if [[ $wanted == *" browser "* ]]; then
        command -v chromium >/dev/null || missing+=(chromium)
        [ -n "$(fc-list 2>/dev/null)" ] || missing+=(fontconfig fonts-dejavu-core)
    fi
    if [ ${#missing[@]} -gt 0 ]; then
        echo "bootstrap: installing ${missing[*]}"
        command -v apt-get >/dev/null || fail "these packages are missing: ${missing[*]}." "Install them with your system's package manager."
        as_root=()
        if [ "$(id -u)" != 0 ]; then
            command -v sudo >/dev/null || fail "these packages are missing: ${missing[*]}." "As root: apt-get install ${missing[*]}"
            as_root=(sudo)
        fi
        { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null; } \
            || fail "apt-get could not install ${missing[*]}." "As root: apt-get update && apt-get install ${missing[*]}"
    fi
else
    command -v brew >/dev/null || fail "Homebrew is not on the PATH." "Install jpeg-turbo, libpng, webp, cairo, openssl, curl and snowball and make their headers known."
    brew list jpeg-turbo libpng webp cairo openssl curl snowball >/dev/null 2>&1 || brew install jpeg-turbo libpng webp cairo openssl curl snowball
    if [[ $wanted == *" web "* ]] && [ ! -d web/node_modules/react ]; then
        command -v npm >/dev/null || fail "npm is not on the PATH: it brings what builds the page." "brew install node"
        (cd web && npm install --no-audit --no-fund)
    fi
fi

# libtorch
proven=$deps/torch-$version.proven
if [ ! -e "$proven" ] || [ ! -e "$deps/torch/lib" ]; then
    command -v python3 >/dev/null || fail "python3 is not on the PATH: libtorch comes out of a Python wheel." "apt-get install python3 python3-pip"
    python3 -m pip --version >/dev/null 2>&1 || fail "pip is missing: libtorch comes out of a Python wheel." "apt-get install python3-pip"
    place=$deps/python
    rm -rf "$place" "$deps"/torch-*.proven
    mkdir -p "$place"
    pip=(python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$place")
    echo "bootstrap: fetching libtorch $version (about 200 MB)"
    if [ "$(uname)" = Linux ] && "${pip[@]}" "torch==$version+cpu" 2>"$deps/pip.log"; then
        kind="CPU build"
    elif "${pip[@]}" "torch==$version" 2>>"$deps/pip.log"; then
        kind="stock build"
        # Where the stock wheel is a CUDA build, even its CPU library asks for two libraries of the CUDA toolkit.
        if [ "$(uname)" = Linux ] && ldd "$place/torch/lib/libtorch_cpu.so" | grep -q 'libcu.*not found'; then
            "${pip[@]}" "cuda-toolkit[cudart,cupti]==13.0.3" 2>>"$deps/pip.log" || true
            python3 -m pip install --quiet --disable-pip-version-check --target "$place" nvidia-cuda-runtime nvidia-cuda-cupti 2>>"$deps/pip.log" || true
            kind="CUDA build"
        fi
    else
        tail -3 "$deps/pip.log" >&2
        fail "pip could not fetch torch $version." "Look at .deps/pip.log." "Point pip to an index or a folder of wheels that has it (PIP_INDEX_URL, PIP_FIND_LINKS)." "Try another version: make bootstrap TORCH_VERSION=2.12.0"
    fi
    rm -f "$deps/torch"
    ln -s python/torch "$deps/torch"
    # The proof: the dynamic loader takes it.
    python3 - "$deps/torch/lib" <<'PROOF' || fail "libtorch $version was fetched but can't be loaded (see above)." "rm -rf .deps && make bootstrap"
import ctypes, glob, os, sys
library = sys.argv[1]
for name in ("libc10", "libtorch_cpu"):
    found = glob.glob(os.path.join(library, name + ".so")) + glob.glob(os.path.join(library, name + ".dylib"))
    ctypes.CDLL(found[0], mode=ctypes.RTLD_GLOBAL)
PROOF
    echo "$kind" >"$proven"
    echo "bootstrap: libtorch $version, $kind, loads"
fi
