#!/usr/bin/env bash
# Brings what building and running need: Open MPI, OpenBLAS, HDF5 and pkg-config from the system's packages, and the
# packages that the arguments name. Swift is only looked for. Says nothing when nothing is missing.
set -euo pipefail

readonly packages=(libopenmpi-dev openmpi-bin libopenblas-dev libhdf5-dev pkg-config "$@")

fail() {
    echo "set-up: $*" >&2
    exit 1
}

check_swift() {
    local install="install it from https://www.swift.org/install" version
    command -v swift >/dev/null || fail "Swift 6.1 or newer is needed and not on the PATH; $install"
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    local major=${version% *} minor=${version#* }
    if ((${major:-0} * 100 + ${minor:-0} < 601)); then
        fail "Swift 6.1 or newer is needed, this is ${major:-an unknown version}${minor:+.$minor}; $install"
    fi
}

# The packages that dpkg does not hold as installed, one per line.
missing_packages() {
    local installed package
    installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true)
    for package in "${packages[@]}"; do
        grep -Fqx "installed $package" <<<"$installed" || echo "$package"
    done
}

install_packages() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes)
    if ((EUID != 0)); then
        command -v sudo >/dev/null \
            || fail "missing: $*. There is no sudo; run as root: apt-get update && apt-get install $*"
        echo "set-up: installing $* with sudo, which may ask for your password" >&2
        apt=(sudo "${apt[@]}")
    else
        echo "set-up: installing $*" >&2
    fi
    # A new machine has no package lists yet and an old one may have stale ones: only then they are fetched.
    if "${apt[@]}" install --no-install-recommends "$@" >&2; then return; fi
    echo "set-up: trying once more with fresh package lists" >&2
    if "${apt[@]}" update >&2 && "${apt[@]}" install --no-install-recommends "$@" >&2; then return; fi
    fail "apt-get could not install $*; its reason stands above"
}

# Systems without apt-get: nothing is installed, only looked for.
check_libraries() {
    local missing=()
    command -v pkg-config >/dev/null || missing+=("pkg-config")
    command -v mpirun >/dev/null || missing+=("Open MPI's mpirun")
    pkg-config --exists ompi-c 2>/dev/null || missing+=("Open MPI with headers (pkg-config: ompi-c)")
    pkg-config --exists openblas 2>/dev/null || missing+=("OpenBLAS with headers (pkg-config: openblas)")
    pkg-config --exists hdf5 2>/dev/null || missing+=("HDF5's C library with headers (pkg-config: hdf5)")
    ((${#missing[@]} == 0)) && return
    echo "set-up: this system has no apt-get; please install:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
}

check_swift
if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]} > 0)); then install_packages "${missing[@]}"; fi
else
    check_libraries
fi
