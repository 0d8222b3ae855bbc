#!/usr/bin/env bash
# Builds the runtime, cssrun and their tests for 64-bit ARM, runs them in an emulator, and compares cssrun's
# answers with this machine's, byte by byte:
#
#     tools/arm64/test.sh [--core CORE]... [--networks N] [--no-tests] [--tools FOLDER] [--compile] [--packages]
#
# --core      emulated core: cortex-a72 (no dot products) and cortex-a76 (with them) unless given
# --networks  how many of the networks below are compared: all unless given
# --no-tests  no unit tests; on those three only the format has any, and riscv64 none
# --tools     where this machine's cssconvert and cssrun are: build/release/tools unless given
# --compile   compile cssrun for 32-bit ARM, 32-bit x86 with SSE2 and riscv64, too, and compare it likewise
# --packages  make Debian packages and try them in a Debian for ARM, see package.sh
#
# Nothing but cross compilers and the emulator is installed in this system: libraries for ARM are unpacked in
# build/arm64. Whatever is there already is used again. Needs root when something is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

cores=()
networks=99
tests=yes
compile=no
packages=no
tools=build/release/tools
while [ $# -gt 0 ]; do
  case $1 in
    --core) cores+=("$2"); shift ;;
    --networks) networks=$2; shift ;;
    --no-tests) tests=no ;;
    --tools) tools=$2; shift ;;
    --compile) compile=yes ;;
    --packages) packages=yes ;;
    *) echo "tools/arm64/test.sh: $1: no such option; the head of the script lists them" >&2; exit 2 ;;
  esac
  shift
done
[ ${#cores[@]} -gt 0 ] || cores=(cortex-a72 cortex-a76)
for program in cssconvert cssrun; do
  [ -x "$tools/$program" ] || {
    echo "tools/arm64/test.sh: $tools/$program: missing; build it: cmake --preset release &&" \
      "cmake --build --preset release --target cssconvert cssrun, or give its folder by --tools" >&2
    exit 2
  }
done

out=$PWD/build/arm64
all=libc6-dev,libstdc++-12-dev,libtbb-dev,libhwy-dev,libflatbuffers-dev
all+=,libcli11-dev,libfmt-dev,nlohmann-json3-dev,libjpeg-dev,libturbojpeg0-dev,libpng-dev,libwebp-dev,liblz4-dev
mkdir -p "$out"
# With relative paths, ccache hides from CMake which folders of headers are the compiler's own.
unset CCACHE_BASEDIR

# unpack ARCHITECTURE PACKAGES FOLDER [SUITE]: unpacked, not installed, since packages of another architecture would
# replace some of this system's.
unpack() {
  [ ! -e "$3.packages" ] || [ "$(cat "$3.packages")" != "$2" ] || return 0
  rm -rf "$3" "$3.packages"
  mmdebstrap --quiet --variant=extract --architectures="$1" --include="$2" "${4:-bookworm}" "$3" \
    "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
  echo "$2" >"$3.packages"
}

# configure FOLDER TRIPLET ROOT [OPTIONS]
configure() {
  cmake -G Ninja -S . -B "$1" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_TOOLCHAIN_FILE="$PWD/tools/arm64/toolchain.cmake" -DCSSRUN_ARCH="$2" -DCSSRUN_ROOT="$3" \
    -DCSSRUN_CONVERTER=OFF -DCSSRUN_BENCH=OFF -DCSSRUN_MPI=OFF -DCSSRUN_FFMPEG=OFF \
    -DCMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE=PRE_TEST "${@:4}" >/dev/null
}

tools/install_packages.sh g++-aarch64-linux-gnu qemu-user-static mmdebstrap
unpack arm64 "$all,libgtest-dev" "$out/root"
configure "$out/build" aarch64-linux-gnu "$out/root"
targets=(cssrun)
[ $packages = no ] || targets+=(cssinspect cssrun_shared cssrun_static manual_cssrun manual_cssinspect)
[ $tests = no ] || targets+=(format_tests runtime_tests c_api_tests)
cmake --build "$out/build" --target "${targets[@]}" -- --quiet

# build_other NAME TRIPLET [SUITE [FLAGS]]: with little optimization, which compiles in half the time.
build_other() {
  unpack "$1" "$all,libgtest-dev" "$out/root-$1" "${3:-bookworm}"
  # Debian 13's packages need this link, and newer C++ libraries than the compiler's, which are there when
  # programs run. The schema's compiler is this machine's, and its headers must be of the same version.
  [ -e "$out/root-$1/lib" ] || ln -s usr/lib "$out/root-$1/lib"
  cp -rpT "$out/root/usr/include/flatbuffers" "$out/root-$1/usr/include/flatbuffers"
  configure "$out/$1" "$2" "$out/root-$1" -DCMAKE_CXX_FLAGS_RELEASE=-O1 -DCMAKE_CXX_FLAGS="${4:-}" \
    -DCMAKE_EXE_LINKER_FLAGS=-Wl,--allow-shlib-undefined
  local targets=(cssrun)
  # The linker for riscv64 crashes on Debian 13's GoogleTest.
  [ $tests = no ] || [ "$1" = riscv64 ] || targets+=(format_tests)
  cmake --build "$out/$1" --target "${targets[@]}" -- --quiet
  echo "$1 compiles"
}
machines=("${cores[@]}")
if [ $compile = yes ]; then
  tools/install_packages.sh g++-arm-linux-gnueabihf g++-i686-linux-gnu g++-riscv64-linux-gnu
  build_other armhf arm-linux-gnueabihf bookworm -Wno-psabi  # notes of a change in GCC 7
  # For one instruction set, which is a third of the work.
  build_other i386 i686-linux-gnu bookworm "-msse2 -mfpmath=sse -DHWY_COMPILE_ONLY_STATIC"
  # Debian has packages for riscv64 from 13 on.
  build_other riscv64 riscv64-linux-gnu trixie
  machines+=(armhf i386 riscv64)
fi

# emulate MACHINE PROGRAM [ARGUMENTS]: a program of the build for a core, or for another machine.
emulate() {
  case $1 in
    armhf) qemu-arm-static -L "$out/root-$1" "$out/$1/${@:2}" ;;
    i386 | riscv64) "qemu-$1-static" -L "$out/root-$1" "$out/$1/${@:2}" ;;
    *) qemu-aarch64-static -cpu "$1" -L "$out/root" "$out/build/${@:2}" ;;
  esac
}

for machine in "${machines[@]}"; do
  [ $tests = yes ] || break
  case $machine in
    armhf | i386) names=(format) ;;
    riscv64) names=() ;;
    *) names=(format c_api runtime) ;;
  esac
  for name in "${names[@]}"; do
    echo "Tests of $name on $machine"
    # The emulator has threads of its own.
    emulate "$machine" "tests/${name}_tests" --gtest_brief=1 \
      --gtest_filter=-*TheProcessHasNoMoreThreadsThanAskedFor*
  done
done

# One code a line: with levels of 5 bits, of 8, of 6 with bytes of pixels, with events, with float pixels.
demo=tools/demo
codes() {
  cat <<'CODES'
--timesteps 5 --beta 2 --silent 4
--timesteps 8 --beta 2 --silent 7
--timesteps 6 --beta 2 --silent 5 --input direct

--input direct
--timesteps 7 --beta 2 --silent 6
CODES
}
compared=0
while read -r code; do
  # shellcheck disable=SC2086
  "$tools/cssconvert" $demo/digits.onnx -o "$out/demo.fb" $code --calibration $demo/calibration \
    --labels $demo/labels.txt --mean 0.5 --std 0.25 >"$out/convert.log" 2>&1 || { cat "$out/convert.log"; exit 1; }
  for engine in integer float; do
    images=($demo/test/three $demo/test/eight)
    [ $engine = integer ] || images=($demo/test/three)  # it is slower
    run=("$out/demo.fb" "${images[@]}" --engine $engine --topk 10 --threads 1 --format jsonl)
    "$tools/cssrun" "${run[@]}" >"$out/here" 2>"$out/run.log" || { cat "$out/run.log"; exit 1; }
    for machine in "${machines[@]}"; do
      emulate "$machine" tools/cssrun "${run[@]}" >"$out/there" 2>"$out/run.log" ||
        { cat "$out/run.log"; exit 1; }
      if ! cmp "$out/here" "$out/there"; then
        echo "$machine: other answers than here, with the code '$code' and the $engine engine" >&2
        exit 1
      fi
      compared=$((compared + $(wc -l <"$out/there")))
    done
  done
done < <(codes | head -n "$networks")
echo "$compared answers on ${machines[*]}: the same as here"

[ $packages = no ] || tools/arm64/package.sh "$out/build" "$tools"
