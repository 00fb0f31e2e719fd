#!/usr/bin/env bash
# Installs what Gatehouse needs: packages of the distribution, and virtual environments with pinned wheels.
# usage: deploy/setup.sh run|dev|bench    Doing it again is quick and changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-run}

packages=(nginx libnginx-mod-http-lua lua-cjson ca-certificates python3-venv util-linux)
packages+=(libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation) # invoices as PDF
[ "$purpose" = dev ] && packages+=(chromium curl libfaketime)
[ "$purpose" = bench ] && packages+=(wrk haproxy nghttp2-client)
[ "$purpose" = bench ] && ! command -v npm >/dev/null && packages+=(nodejs npm)

install_packages() {
  local missing=() name as_root=() command
  for name in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command="apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
    if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      echo "setup: these packages are missing: ${missing[*]}" >&2
      echo "setup: as root, run this once, then try again:" >&2
      echo "  apt-get update && $command" >&2
      exit 1
    fi
  fi
  echo "setup: installing ${missing[*]}"
  quietly "${as_root[@]}" apt-get update
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $command
  case " ${missing[*]} " in
    # the package starts an nginx of its own on port 80, which nobody asked for
    *" nginx "*) stop_service nginx ;;
  esac
  case " ${missing[*]} " in
    *" haproxy "*) stop_service haproxy ;;
  esac
}

stop_service() {
  "${as_root[@]}" service "$1" stop >/dev/null 2>&1 || true
  command -v systemctl >/dev/null && "${as_root[@]}" systemctl disable "$1" >/dev/null 2>&1 || true
}

# Run a command without its chatter, unless it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
}

python_for_us() {
  local name
  for name in python3 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  echo "setup: Python 3.11 or newer (with venv) is needed" >&2
  exit 1
}

# environment FOLDER REQUIREMENTS: make a virtual environment that holds exactly these wheels
environment() {
  local folder=$1 requirements=$2 stamp
  stamp=$(cksum "$requirements" | cut -d' ' -f1)
  if [ -f "$folder/.stamp-$stamp" ] && "$folder/bin/python" -c '' 2>/dev/null; then
    return
  fi
  echo "setup: installing $requirements into $folder"
  [ -x "$folder/bin/python" ] && "$folder/bin/python" -c '' 2>/dev/null || "$(python_for_us)" -m venv --clear "$folder"
  "$folder/bin/python" -m pip install -q --disable-pip-version-check --no-input -r "$requirements"
  rm -f "$folder"/.stamp-*
  touch "$folder/.stamp-$stamp"
}

# The services may not write into this folder: without this, each would compile our modules anew at every start.
compile_modules() {
  local packages
  packages=$(dirname ./*/__init__.py | grep -vE '^./(tests|benchmarks)$')
  # shellcheck disable=SC2086 # several words are meant
  .venv/bin/python -m compileall -q $packages || echo "setup: this folder is not ours to write; starts take longer"
}

install_packages
if [ "$purpose" = run ] && ls .venv/.stamp-* >/dev/null 2>&1 \
  && [ -f ".venv/.stamp-$(cksum requirements-dev.txt | cut -d' ' -f1)" ]; then
  : # the developer's environment holds everything that running needs
elif [ "$purpose" = run ]; then
  environment .venv requirements.txt
else
  environment .venv requirements-dev.txt
fi
environment .venv-httpbin examples/httpbin/requirements.txt
# Envoy and Caddy: peers of benchmarks, and tests of examples/ run them
[ "$purpose" = run ] || environment .venv-peers benchmarks/peers/requirements.txt
if [ "$purpose" = bench ]; then
  environment .venv-key-peer benchmarks/key_peer/requirements.txt
  [ -d benchmarks/peers/express-gateway/node_modules/express-gateway ] \
    || (cd benchmarks/peers/express-gateway && quietly npm ci --ignore-scripts --no-audit --no-fund)
fi
compile_modules
