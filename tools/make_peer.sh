#!/bin/sh
# Makes the environment of the benchmark's peer, which needs an old NumPy; it is never imported by the project. Without an index nothing is made.
# usage: PYTHON=python3 sh tools/make_peer.sh FOLDER
set -eu
folder=$1
python=${PYTHON:-python3}
[ -x "$folder/bin/python" ] && exit 0
"$python" -m venv "$folder" &&
    "$folder/bin/python" -m pip install -q --disable-pip-version-check "clintrials==0.1.4" "numpy<2" "scipy<1.14" "pandas<3" statsmodels matplotlib ||
    { rm -rf "$folder"; echo "the peer of the benchmark could not be installed; its line says so" >&2; }
