#!/bin/sh
# A wrapper of rustc for fuzzing: our crates check their arithmetic, and those that read, with the parsers under them,
# count which of their edges run; everything else, polars first of all, is built as in the product. The flags are those
# of `cargo fuzz run --sanitizer none`, and need no nightly toolchain.
rustc="$1"
shift
name=
before=
for argument; do
    [ "$before" = --crate-name ] && name="$argument"
    before="$argument"
done
checked="--cfg fuzzing -Cdebug-assertions=on -Coverflow-checks=on"
case "$name" in
taut_problem | taut_store | taut_sweep | taut_fuzz | study_parser | part_reader | input_table | toml* | winnow | \
    serde_spanned | csv* | annotate_snippets)
    # shellcheck disable=SC2086 # several flags
    exec "$rustc" "$@" $checked -Ccodegen-units=1 \
        -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0
    ;;
taut_*)
    # shellcheck disable=SC2086
    exec "$rustc" "$@" $checked
    ;;
*) exec "$rustc" "$@" ;;
esac
