//! Plain loops compiled three times, the AVX-512 or AVX2 copy taken at run time where the processor has it.
//!
//! Loops keep their partial sums in arrays of fixed length, so the two vector copies round alike.
//!
//! Rust never fuses `a * b + c` by itself, and `mul_add` without the instruction is a slow library
//! call: hence [`fma`], which asks the compiled copy.

/// Multiplies and adds, fused where the caller was compiled for processors that fuse.
#[inline(always)]
pub(crate) fn fma<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Returns the name of the copy that [`multiversion`] takes on this machine.
pub(crate) fn instruction_set() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            return "AVX-512";
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return "AVX2";
        }
    }
    if cfg!(target_arch = "aarch64") { "NEON" } else { "portable" }
}

/// Defines a function whose body is compiled for any processor, for AVX2 and for AVX-512, both with FMA.
///
/// The body sees the constant `FUSED`. Loops over arrays of fixed length become vector code.
macro_rules! multiversion {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $out:ty)?
        $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $kind),*) $(-> $out)? {
            #[inline(always)]
            fn portable<const FUSED: bool>($($arg: $kind),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,fma")]
                fn avx512($($arg: $kind),*) $(-> $out)? {
                    portable::<true>($($arg),*)
                }

                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $kind),*) $(-> $out)? {
                    portable::<true>($($arg),*)
                }

                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                    #[expect(unsafe_code, reason = "the compiler cannot see the check above")]
                    // SAFETY: the processor has what `avx512` was compiled for; AVX-512 contains FMA.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    #[expect(unsafe_code, reason = "the compiler cannot see the check above")]
                    // SAFETY: the processor has what `avx2` was compiled for.
                    return unsafe { avx2($($arg),*) };
                }
            }
            portable::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
        }
    };
}

pub(crate) use multiversion;
