//! Updates of many lanes side by side, each with a factor of its own.

use crate::{Kernel, run_wide};
use pulp::{Arch, Simd, WithSimd};

/// y ← y − s∘x, with one factor s per lane.
///
/// Shapes: s lanes, x and y entries × lanes. Product and difference are rounded one by one, in any number of lanes.
pub fn subtract_scaled(s: &[f64], x: &[f64], y: &mut [f64]) {
    update(s, x, y, None);
}

/// y ← y + m(y − z) − s∘x and z ← y, the y on the right being the old one; shapes as in [`subtract_scaled`].
pub fn subtract_scaled_and_roll(m: f64, s: &[f64], x: &[f64], y: &mut [f64], z: &mut [f64]) {
    update(s, x, y, Some((m, z)));
}

fn update(s: &[f64], x: &[f64], y: &mut [f64], roll: Option<(f64, &mut [f64])>) {
    match s.len() {
        1 => run_wide(OneLane { s: s[0], x, y, roll }),
        8 => Arch::new().dispatch(EightLanes { s, x, y, roll }),
        lanes => any_lanes(s, x, y, roll, lanes),
    }
}

fn any_lanes(s: &[f64], x: &[f64], y: &mut [f64], roll: Option<(f64, &mut [f64])>, lanes: usize) {
    let (m, z) = roll.unwrap_or((0.0, &mut []));
    let mut z = z.iter_mut();
    for (slot, (x, y)) in x.iter().zip(y).enumerate() {
        let now = *y;
        *y = match z.next() {
            Some(z) => now + m * (now - std::mem::replace(z, now)) - s[slot % lanes] * x,
            None => now - s[slot % lanes] * x,
        };
    }
}

struct OneLane<'a> {
    s: f64,
    x: &'a [f64],
    y: &'a mut [f64],
    roll: Option<(f64, &'a mut [f64])>,
}

impl Kernel for OneLane<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Some((m, z)) = self.roll else {
            for (x, y) in self.x.iter().zip(self.y) {
                *y -= self.s * x;
            }
            return;
        };
        for ((x, y), z) in self.x.iter().zip(self.y).zip(z) {
            let now = *y;
            *y = now + m * (now - *z) - self.s * x;
            *z = now;
        }
    }
}

/// Vectors are spelled out, since the compiler gathers the same lane of many entries otherwise.
struct EightLanes<'a> {
    s: &'a [f64],
    x: &'a [f64],
    y: &'a mut [f64],
    roll: Option<(f64, &'a mut [f64])>,
}

impl WithSimd for EightLanes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let s = S::as_simd_f64s(self.s).0;
        let parts = s.len();
        let x = S::as_simd_f64s(self.x).0.chunks_exact(parts);
        let y = S::as_mut_simd_f64s(self.y).0.chunks_exact_mut(parts);
        let Some((m, z)) = self.roll else {
            for (x, y) in x.zip(y) {
                for part in 0..parts {
                    y[part] = simd.sub_f64s(y[part], simd.mul_f64s(s[part], x[part]));
                }
            }
            return;
        };
        let m = simd.splat_f64s(m);
        for ((x, y), z) in x.zip(y).zip(S::as_mut_simd_f64s(z).0.chunks_exact_mut(parts)) {
            for part in 0..parts {
                let now = y[part];
                let rolled = simd.add_f64s(now, simd.mul_f64s(m, simd.sub_f64s(now, z[part])));
                y[part] = simd.sub_f64s(rolled, simd.mul_f64s(s[part], x[part]));
                z[part] = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_are_the_formulas_bit_by_bit_in_any_number_of_lanes() {
        let number = |i: usize, seed: f64| (i as f64 * 0.7 + seed).sin();
        for lanes in [1, 3, 8] {
            let size = 13 * lanes;
            let of = |seed: f64| -> Vec<f64> { (0..size).map(|i| number(i, seed)).collect() };
            let s: Vec<f64> = (0..lanes).map(|lane| number(lane, 9.0)).collect();
            let (x, before) = (of(1.0), of(3.0));
            let (mut plain, mut rolled, mut z) = (of(2.0), of(2.0), before.clone());
            subtract_scaled(&s, &x, &mut plain);
            subtract_scaled_and_roll(0.9, &s, &x, &mut rolled, &mut z);
            for (i, now) in of(2.0).into_iter().enumerate() {
                let pull = s[i % lanes] * x[i];
                assert_eq!(plain[i].to_bits(), (now - pull).to_bits());
                assert_eq!(rolled[i].to_bits(), (now + 0.9 * (now - before[i]) - pull).to_bits());
                assert_eq!(z[i].to_bits(), now.to_bits());
            }
        }
    }
}
