// Code values and shares as they travel: two of 16 bits in a word, 65535 being 1, or one of 32 bits. Disparity has 32 bits,
// and comes first where it shares a buffer with them.

fn sample_of(word: u32, index: i32) -> f32 {
    if (CODES_16 == 0u) {
        return bitcast<f32>(word);
    }
    return unpack2x16unorm(word)[index % 2];
}

fn word_of(index: i32) -> i32 {
    return select(index / 2, index, CODES_16 == 0u);
}
