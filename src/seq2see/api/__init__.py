"""The face: what `import seq2see` hands out."""
