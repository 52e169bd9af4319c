# Sourced by the scripts that build, after they have set `root`. Programs and tests share one configuration, so that
# ./launch.sh and ./test.sh compile nothing twice. Testability costs no speed that could be measured.
# shellcheck shell=bash disable=SC2034,SC2154

configuration=(
    --package-path "$root" --configuration release
    -Xswiftc -enable-testing
    --explicit-target-dependency-import-check error
)
build_log="$root/.build/build.log"
