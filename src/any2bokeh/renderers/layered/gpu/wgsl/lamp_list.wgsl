// Lamps whose discs are cut by what is before them, in the order of blocks and pixels: those that are seen, then those of
// hidden background. There may be more than the list has room for; these stay samples.
struct Lamp {
    light: vec3f,  // that it has more than its surroundings
    defocus: f32,
    pixel: i32,
    is_behind: u32,  // whether its light was taken from the background of the pixel
    looks: f32,  // that it takes to follow it
    spare: u32,
}

struct LampList {
    shown: u32,  // so many are seen
    total: u32,
    spare: vec2u,
    lamps: array<Lamp>,
}
