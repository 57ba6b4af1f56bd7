// Of a pixel with more than one sample. Where it is split, `patch_light` takes the place of what is seen.
struct Extra {
    patch_light: vec4f,  // light multiplied by a weight, and the weight
    behind: vec4f,  // light, and signed defocus
    patch_defocus: f32,
}
