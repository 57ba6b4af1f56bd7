fn brightness(light: vec3f) -> f32 {
    return max(max(light.x, light.y), light.z);
}
