// Stage: code values and disparity of a frame whose picture a texture holds. A pixel is the mean of what it covers of it.

struct Taken {
    width: i32, height: i32,  // of the frame
    picture_width: i32, picture_height: i32,  // of what the texture holds
}

@group(0) @binding(0) var<uniform> taken: Taken;
@group(0) @binding(1) var picture: texture_2d<f32>;
@group(0) @binding(2) var<storage, read> codes: array<u32>;  // disparity, four pixels in a word, 255 being 1
@group(0) @binding(3) var<storage, read_write> pixels: array<f32>;  // (3, H, W)
@group(0) @binding(4) var<storage, read_write> disparity: array<f32>;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let at = vec2i(id.xy);
    if (at.x >= taken.width || at.y >= taken.height) {
        return;
    }
    let scale = vec2f(f32(taken.picture_width), f32(taken.picture_height)) / vec2f(f32(taken.width), f32(taken.height));
    let begin = vec2f(at) * scale;
    let end = begin + scale;
    let last = vec2i(taken.picture_width, taken.picture_height) - 1;
    var sum = vec3f(0.0);
    var area = 0.0;
    for (var y = i32(begin.y); y < i32(ceil(end.y)); y++) {
        for (var x = i32(begin.x); x < i32(ceil(end.x)); x++) {
            let own = vec2f(f32(x), f32(y));
            let covered = max(min(end, own + 1.0) - max(begin, own), vec2f(0.0));
            sum += covered.x * covered.y * textureLoad(picture, min(vec2i(x, y), last), 0).rgb;
            area += covered.x * covered.y;
        }
    }
    let pixel = at.y * taken.width + at.x;
    for (var c = 0; c < 3; c++) {
        pixels[c * taken.width * taken.height + pixel] = sum[c] / area;
    }
    disparity[pixel] = unpack4x8unorm(codes[pixel / 4])[pixel % 4];
}
