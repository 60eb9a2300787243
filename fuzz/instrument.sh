#!/bin/sh
# A wrapper of rustc for fuzzing: our own crates and the parsers under them are told to count which of their edges
# run, and to check arithmetic; everything else, polars first of all, is built as in the product. The flags are those
# of `cargo fuzz run --sanitizer none`, and need no nightly toolchain.
rustc="$1"
shift
name=
before=
for argument; do
    [ "$before" = --crate-name ] && name="$argument"
    before="$argument"
done
case "$name" in
taut_* | study_parser | part_reader | input_table | toml* | winnow | serde_spanned | csv* | annotate_snippets)
    exec "$rustc" "$@" --cfg fuzzing -Ccodegen-units=1 -Cdebug-assertions=on -Coverflow-checks=on \
        -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0
    ;;
*) exec "$rustc" "$@" ;;
esac
