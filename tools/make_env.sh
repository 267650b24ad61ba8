#!/bin/sh
# Makes or completes a virtual environment from a lock file with hashes, then installs the project into it.
# usage: PYTHON=python3 sh tools/make_env.sh FOLDER LOCKFILE
set -eu
folder=$1
lock=$2
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "interim needs Python 3.11 or later; $python is $("$python" --version 2>&1). Set PYTHON=/path/to/python3.11." >&2
    exit 1
}

if command -v uv >/dev/null 2>&1; then
    [ -x "$folder/bin/python" ] || uv venv -q --python "$python" "$folder"
    uv pip install -q --python "$folder/bin/python" --require-hashes --compile-bytecode -r "$lock"
    uv pip install -q --python "$folder/bin/python" --no-deps --no-build-isolation -e .
    exit 0
fi

if [ ! -x "$folder/bin/python" ]; then
    "$python" -m venv "$folder" >/dev/null 2>&1 || rm -rf "$folder"
fi
if [ -x "$folder/bin/python" ]; then
    "$folder/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
    "$folder/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
    exit 0
fi

# The system's venv module has no ensurepip: use the system's pip from outside.
if "$python" -m pip --version >/dev/null 2>&1 && "$python" -m venv --without-pip "$folder"; then
    "$python" -m pip --python "$folder/bin/python" install -q --disable-pip-version-check --require-hashes -r "$lock"
    "$python" -m pip --python "$folder/bin/python" install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
    exit 0
fi
rm -rf "$folder"
echo "no way to make a virtual environment: install python3-venv or python3-pip (or uv), then call make again" >&2
exit 1
