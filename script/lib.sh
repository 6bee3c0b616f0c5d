# Functions that the scripts share. To be sourced by bash; does nothing by itself.
# shellcheck shell=bash

# The least that a build of the server needs, as ensure_packages() takes it.
# shellcheck disable=SC2034  # used by the scripts that source this file
BUILD_PACKAGES=(gcc=gcc make=make libc6-dev cmake=cmake pkgconf=pkg-config libconfig-dev
    libcjson-dev nettle-dev libcrypt-dev libcurl4-openssl-dev)

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "$(basename "$0"): $*"
    exit 1
}

# Prints those of the packages that are missing, one a line. An argument is `package`, or
# `package=command` where the command will do as well, wherever it comes from.
missing_packages() {
    local installed wanted package
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${@%%=*}" 2>/dev/null || true)
    for wanted in "$@"; do
        package=${wanted%%=*}
        if [[ $wanted == *=* ]] && command -v "${wanted#*=}" >/dev/null; then
            continue
        fi
        grep -qxF "installed $package" <<<"$installed" || printf '%s\n' "$package"
    done
}

# Installs what is missing of the packages (written as for missing_packages), with sudo if need
# be. Says what to install by hand, and exits, where that is not possible.
ensure_packages() {
    command -v dpkg-query >/dev/null || return 0 # not a Debian: cmake will tell what it misses
    local missing as_root=() by_hand
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]} > 0)) || return 0

    by_hand="please install by hand, as root: apt-get install ${missing[*]}"
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "packages are missing, and there is no sudo; $by_hand"
        as_root=(sudo)
    fi
    say "Installing ${missing[*]}"
    as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
    # Without a network the update fails, and the packages may be at hand all the same.
    "${as_root[@]}" update >&2 || say "The package lists could not be refreshed (no network?)"
    "${as_root[@]}" install --yes --no-install-recommends "${missing[@]}" >&2 ||
        die "apt-get failed; $by_hand"
}

# Configures and builds a preset of CMakePresets.json into build-PRESET/; shows the output only
# if that fails. Further arguments go to the configuration. To be called in the project's root.
build_preset() {
    local preset=$1 log="build-$1.log"
    shift
    if cmake --preset "$preset" "$@" >"$log" 2>&1 &&
        cmake --build --preset "$preset" --parallel "$(nproc)" >>"$log" 2>&1; then
        rm -f "$log"
    else
        cat "$log" >&2
        say "The build of $preset failed; its output is in $log"
        return 1
    fi
}

# Runs a command without the randomisation of addresses where newer kernels use more of it than the
# sanitizers of gcc 12 and clang 14 can live with.
without_randomisation() {
    local bits
    bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
    if ((bits > 28)); then
        setarch "$(uname -m)" -R "$@"
    else
        "$@"
    fi
}
