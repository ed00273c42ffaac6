#!/usr/bin/env bash
# Installs the executable and its completions for bash, zsh and fish, or removes them.
#
#   scripts/install.sh install|uninstall EXECUTABLE DESTDIR PREFIX    DESTDIR may be empty; both are absolute
set -euo pipefail

readonly name=metadata-gateway

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

usage='usage: scripts/install.sh install|uninstall EXECUTABLE DESTDIR PREFIX'
action=${1:?$usage} executable=${2:?$usage} destination=${3?$usage} prefix=${4:?$usage}
[[ $prefix == /* ]] || fail "PREFIX must be an absolute path, such as /usr/local, not \`$prefix\`"
[[ -z $destination || $destination == /* ]] || fail "DESTDIR must be empty or an absolute path, not \`$destination\`"
root=${destination%/}${prefix%/}

program=$root/bin/$name
# The folders that the shells search below /usr and /usr/local.
declare -A completions=(
    [bash]=$root/share/bash-completion/completions/$name
    [zsh]=$root/share/zsh/site-functions/_$name
    [fish]=$root/share/fish/vendor_completions.d/$name.fish
)

case $action in
install)
    [[ -x $executable ]] || fail "there is no \`$executable\`; run \`make build\` first"
    install -D -m 755 "$executable" "$program" || fail "cannot write to $root; run it as root, or choose another PREFIX"
    for shell in "${!completions[@]}"; do
        install -d "$(dirname "${completions[$shell]}")"
        "$executable" --generate-completion-script "$shell" >"${completions[$shell]}"
        chmod 644 "${completions[$shell]}"
    done
    printf '%s\n' "$program"
    ;;
uninstall) rm -f "$program" "${completions[@]}" ;;
*) fail "$usage" ;;
esac
