#!/usr/bin/env bash
# Builds the examples against the installed and then moved tree, with find_package and pkg-config, and
# with add_subdirectory, and runs them: three_ways.sh SOURCE BUILD MAKE_NETWORK WAY, where WAY is
# find_package, static, pkg-config or add_subdirectory.
set -euo pipefail
source_dir=$1 build_dir=$2 make_network=$3 way=$4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
expected=$("$make_network" "$work")

# Nothing may be found where it was installed to, nor in the source tree.
cp -r "$source_dir/runtime/examples" "$work/examples"
for component in runtime development; do
  cmake --install "$build_dir" --prefix "$work/first" --component $component >/dev/null
done
mkdir "$work/elsewhere"
mv "$work/first" "$work/elsewhere/moved"
prefix=$work/elsewhere/moved
lib=$(dirname "$(find "$prefix" -name 'libcssrun.so' | head -1)")

configure() { cmake -G Ninja -B "$work/build" -DCMAKE_BUILD_TYPE=Debug "$@" >"$work/log"; }
fail() { echo "$*" >&2; cat "$work/log" >&2; exit 1; }

case $way in
  find_package)
    configure -S "$work/examples" -DCMAKE_PREFIX_PATH="$prefix" || fail configure
    ;;
  static)
    configure -S "$work/examples" -DCMAKE_PREFIX_PATH="$prefix" -DLINK_STATIC=ON || fail configure
    ;;
  add_subdirectory)
    # It is about the build: not optimized, nothing for a debugger, and no instruction set, whose headers are long.
    configure -S "$source_dir/tests/install/subdirectory" -DCSSRUN_SOURCE="$source_dir" \
      -DCMAKE_CXX_FLAGS_DEBUG= -DCSSRUN_PRECOMPILE=ON -DEXAMPLES="$work/examples" -DCMAKE_CXX_FLAGS="-O0 -DHWY_COMPILE_ONLY_SCALAR" || fail configure
    ;;
  pkg-config)
    export PKG_CONFIG_PATH=$lib/pkgconfig LD_LIBRARY_PATH=$lib
    [ "$(pkg-config --modversion cssrun)" = "$(sed -n 's/^project(cssrun VERSION \([0-9.]*\).*/\1/p' \
      "$source_dir/CMakeLists.txt")" ]
    mkdir -p "$work/build"
    cd "$work/examples"
    for example in classify camera; do
      cc -std=c99 -Wall -Wextra -Werror $example.c $(pkg-config --cflags --libs cssrun) \
        -o "$work/build/${example}_c"
      c++ -std=c++20 -Wall -Wextra -Werror $example.cc $(pkg-config --cflags --libs cssrun) \
        -o "$work/build/${example}_cc"
    done
    ;;
esac
if [ "$way" != pkg-config ]; then
  cmake --build "$work/build" >>"$work/log" 2>&1 || fail build
fi

folder=$(dirname "$(find "$work/build" -name classify_c -type f)")
linked=$(readelf -d "$folder/classify_c" | grep -c 'NEEDED.*libcssrun\.so\.0\]' || true)
case $way in
  find_package | pkg-config) [ "$linked" = 1 ] || fail "classify_c does not use libcssrun.so.0" ;;
  *) [ "$linked" = 0 ] || fail "classify_c uses libcssrun.so.0" ;;
esac
for program in classify_c classify_cc; do
  answer=$("$folder/$program" "$work/net.fb" "$work/image.ppm")
  [ "$answer" = "$expected" ] || fail "$program says '$answer', not '$expected'"
  if "$folder/$program" "$work/image.ppm" "$work/image.ppm" 2>"$work/error"; then
    fail "$program takes an image for a network"
  fi
  grep -q "image.ppm: not a network file" "$work/error" || fail "$program: $(cat "$work/error")"
done
for program in camera_c camera_cc; do
  answer=$("$folder/$program" "$work/net.fb" "$work/image.ppm" 6 10000)
  [ "$(grep -c '^frame [0-5]: class [0-3] after [0-9]* of 11 steps, ' <<<"$answer")" = 6 ] ||
    fail "$program says $answer"
  grep -qx '0 dropped' <<<"$answer" || fail "$program says $answer"
  answer=$("$folder/$program" "$work/net.fb" "$work/image.ppm" 6 0.000001)
  [ "$answer" = '6 dropped' ] || fail "$program within 1 ns says $answer"
done
echo "$way: the examples build, and say $expected"
