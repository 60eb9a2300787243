//! Where training starts.

mod aligned;
mod balanced;
mod determinant;
mod lambda_balanced;
mod pair;

pub use aligned::AlignedStart;
pub use balanced::BalancedStart;
pub use lambda_balanced::LambdaBalancedStart;
pub use pair::PairStart;

use crate::orthonormal::orthonormal;
use crate::{Finite, NonNegative, ParametrizationKind, Shape, Task, Tensor, Tensors};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, normal, stream};

/// The start θ₀.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Init {
    /// θ₀ = 0
    #[default]
    Zero,
    /// θ₀ ~ N(0, scale²) entry by entry
    Gaussian(GaussianStart),
    /// θ₀ = scale in every entry
    Constant(ConstantStart),
    /// u in every entry of the first of two vectors, v in every entry of the second
    Pair(PairStart),
    /// Every factor Gaussian, so that their product has entries of variance scale²/inputs: entries of W_l are
    /// N(0, scale^(2/N)/d_{l−1}), d_{l−1} its columns
    EndToEnd(EndToEndStart),
    /// Every tensor scale·I, cut off where it is not square
    Identity(IdentityStart),
    /// Every tensor scale·Q with a random Q whose rows or columns are orthonormal
    Orthogonal(OrthogonalStart),
    /// Factors of a Gaussian product that are balanced exactly: W_{l+1}ᵀW_{l+1} = W_lW_lᵀ
    Balanced(BalancedStart),
    /// Two factors with W₂ᵀW₂ − W₁W₁ᵀ = λI exactly
    LambdaBalanced(LambdaBalancedStart),
    /// Balanced factors along the modes of the target, which then do not meet
    Aligned(AlignedStart),
    /// θ₀ from a file
    #[serde(untagged)]
    File(FileStart),
}

/// A Gaussian start.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GaussianStart {
    /// The standard deviation of each entry.
    pub scale: NonNegative,
    /// Turn the sign of the last factor's first row where det W(0) < 0: the law of the draws given det W(0) > 0.
    #[serde(default)]
    pub positive_determinant: bool,
}

/// A start with equal entries.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstantStart {
    /// The value of every entry.
    pub scale: Finite,
}

/// A Gaussian start by the size of the product.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndToEndStart {
    /// The scale of the product.
    pub scale: NonNegative,
}

/// A start at multiples of the identity.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityStart {
    /// The diagonal of every tensor.
    pub scale: NonNegative,
}

/// A start at multiples of random orthogonal matrices.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrthogonalStart {
    /// All singular values of every tensor.
    pub scale: NonNegative,
}

/// A start read from a file in the long form `tensor,row,col,value` (zero-based).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileStart {
    /// CSV or parquet, relative to the study file.
    pub file: String,
    /// Tensor names start with this; the start is the tensor `<prefix>theta`, or what the parametrization is made of:
    /// `<prefix>W1`, …
    #[serde(default)]
    pub prefix: String,
    /// Tensors to read; others in the file are then ignored.
    #[serde(default)]
    pub only: Vec<String>,
}

impl Init {
    /// What can be said against the start before anything is drawn, with the key in the start's table that it is about.
    pub fn complaint(
        &self,
        kind: &ParametrizationKind,
        inputs: usize,
        outputs: usize,
    ) -> Option<(&'static str, String)> {
        let sizes = layer_sizes(kind, inputs, outputs);
        let factors = |name: &'static str| {
            let message = || format!("`{name}` starts are of factors W₁, …, W_N, and this model is `{}`", kind.name());
            (!matches!(kind, ParametrizationKind::DeepLinear(_))).then(|| (name, message()))
        };
        let matrices = |name: &'static str| {
            let entrywise =
                matches!(kind, ParametrizationKind::HadamardPower(_) | ParametrizationKind::HadamardProduct);
            let message = || format!("`{name}` starts are of matrices, and `{}` is made of numbers", kind.name());
            entrywise.then(|| (name, message()))
        };
        match self {
            Self::Gaussian(start) if start.positive_determinant => {
                determinant::complaint(kind, &sizes).map(|message| ("gaussian.positive_determinant", message))
            }
            Self::Balanced(start) => factors("balanced").or_else(|| start.complaint(kind, &sizes)),
            Self::LambdaBalanced(start) => factors("lambda-balanced").or_else(|| start.complaint(&sizes)),
            Self::Aligned(start) => factors("aligned").or_else(|| start.complaint(&sizes)),
            Self::Pair(_) => PairStart::complaint(kind),
            Self::EndToEnd(_) => matrices("end-to-end"),
            Self::Identity(_) => matrices("identity"),
            Self::Orthogonal(_) => matrices("orthogonal"),
            Self::Zero | Self::Gaussian(_) | Self::Constant(_) | Self::File(_) => None,
        }
    }

    /// Whether θ₀ is zero whatever is drawn: there factors have no gradient.
    pub fn is_zero(&self) -> bool {
        let scale = match self {
            Self::Zero => 0.0,
            Self::Gaussian(start) => start.scale.get(),
            Self::Constant(start) => start.scale.get(),
            Self::EndToEnd(start) => start.scale.get(),
            Self::Identity(start) => start.scale.get(),
            Self::Orthogonal(start) => start.scale.get(),
            Self::Balanced(start) => start.scale.get(),
            Self::LambdaBalanced(start) => start.scale.get().max(start.lambda.get().abs()),
            Self::Aligned(start) => start.largest_strength(),
            Self::Pair(start) => start.u.get().abs().max(start.v.get().abs()),
            Self::File(_) => return false,
        };
        scale.abs() <= 0.0
    }

    /// θ₀ of one cell: the tensors of the parametrization one after the other, each column-major.
    ///
    /// Random starts draw from the stream `start`, so they do not depend on the motion. `file` holds the tensors of a
    /// start that comes from a file.
    ///
    /// # Errors
    /// A sentence, if there is no such start for this task and parametrization.
    pub fn draw(
        &self,
        task: Task<'_>,
        kind: &ParametrizationKind,
        file: Option<&Tensors>,
        (seed, replicate): (u64, u64),
    ) -> Result<Vec<f64>, String> {
        let Shape { inputs, outputs, .. } = task.shape(1);
        if let Some((_, message)) = self.complaint(kind, inputs, outputs) {
            return Err(message);
        }
        let tensors = kind.tensors(inputs, outputs);
        let depth = kind.depth(inputs, outputs) as f64;
        let count: usize = tensors.iter().map(Tensor::len).sum();
        let mut draws = stream(seed, "start", replicate);
        let sizes = layer_sizes(kind, inputs, outputs);
        let mut gaussian =
            |deviation: f64, len: usize| -> Vec<f64> { (0..len).map(|_| deviation * normal(&mut draws)).collect() };
        match self {
            Self::Zero => Ok(vec![0.0; count]),
            Self::Gaussian(start) => {
                let mut theta = gaussian(start.scale.get(), count);
                if start.positive_determinant {
                    determinant::make_positive(&mut theta, kind, &tensors, inputs);
                }
                Ok(theta)
            }
            Self::Constant(start) => Ok(vec![start.scale.get(); count]),
            Self::Pair(start) => Ok(start.entries(count)),
            Self::EndToEnd(start) => {
                let scale = start.scale.get().powf(1.0 / depth);
                // The coefficients of a single output are a column, and still as many as there are inputs.
                let columns = |tensor: &Tensor| if kind.is_direct() { inputs } else { tensor.columns };
                let of = |tensor: &Tensor| gaussian(scale / (columns(tensor) as f64).sqrt(), tensor.len());
                Ok(tensors.iter().flat_map(of).collect())
            }
            Self::Identity(start) => {
                let of = |t: &Tensor| DMatrix::<f64>::identity(t.rows, t.columns) * start.scale.get();
                Ok(tensors.iter().flat_map(|tensor| of(tensor).as_slice().to_vec()).collect())
            }
            Self::Orthogonal(start) => {
                let mut of = |t: &Tensor| {
                    let entries = gaussian(1.0, t.len());
                    orthonormal(DMatrix::from_vec(t.rows, t.columns, entries)) * start.scale.get()
                };
                Ok(entries(&tensors.iter().map(&mut of).collect::<Vec<_>>()))
            }
            Self::Balanced(start) => Ok(entries(&start.draw(&sizes, &mut draws))),
            Self::LambdaBalanced(start) => Ok(entries(&start.draw(&sizes, &mut draws))),
            Self::Aligned(start) => Ok(entries(&start.draw(task, &sizes, &mut draws)?)),
            Self::File(start) => {
                let file = file.ok_or_else(|| format!("the start in {} was not read", start.file))?;
                file.parameters(&tensors)
            }
        }
    }
}

/// d₀, …, d_N of the factors; of the predictor itself where there are none.
fn layer_sizes(kind: &ParametrizationKind, inputs: usize, outputs: usize) -> Vec<usize> {
    match kind {
        ParametrizationKind::DeepLinear(deep) => deep.sizes(inputs, outputs),
        _ => vec![inputs, outputs],
    }
}

/// θ of these tensors.
fn entries(tensors: &[DMatrix<f64>]) -> Vec<f64> {
    tensors.iter().flat_map(|matrix| matrix.as_slice().to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeepLinear, MatrixProblem, Moments, Observed, TargetModes, TestOver};
    use taut_numerics::{DVector, ThinSvd};

    fn deep(widths: &[usize]) -> ParametrizationKind {
        ParametrizationKind::DeepLinear(DeepLinear::of_widths(widths))
    }

    /// Whitened inputs and a target of rank 2.
    fn problem(inputs: usize, outputs: usize) -> MatrixProblem {
        let numbers =
            |rows, columns, at: f64| DMatrix::from_fn(rows, columns, |i, j| ((i * 7 + j * 3) as f64 + at).sin());
        let syx = numbers(outputs, 2, 0.1) * numbers(2, inputs, 0.7);
        let observed = Observed::Moments(Moments { sxx: None, syx, trace_syy: None, samples: None });
        MatrixProblem { inputs, outputs, observed, teacher: None, test: TestOver::Entries, law: None }
    }

    fn factors(init: &Init, problem: &MatrixProblem, kind: &ParametrizationKind, replicate: u64) -> Vec<DMatrix<f64>> {
        let theta = init.draw(Task::Matrix(problem), kind, None, (5, replicate)).unwrap();
        let mut rest = &theta[..];
        let tensors = kind.tensors(problem.inputs, problem.outputs);
        let of = |t: Tensor| {
            let (own, others) = rest.split_at(t.len());
            rest = others;
            DMatrix::from_column_slice(t.rows, t.columns, own)
        };
        tensors.into_iter().map(of).collect()
    }

    fn product(factors: &[DMatrix<f64>]) -> DMatrix<f64> {
        factors[1..].iter().fold(factors[0].clone(), |product, factor| factor * product)
    }

    /// W_{l+1}ᵀW_{l+1} − W_lW_lᵀ.
    fn gaps(factors: &[DMatrix<f64>]) -> Vec<DMatrix<f64>> {
        factors.windows(2).map(|pair| pair[1].tr_mul(&pair[1]) - &pair[0] * pair[0].transpose()).collect()
    }

    fn balanced(scale: f64, positive_determinant: bool) -> Init {
        Init::Balanced(BalancedStart { scale: NonNegative::try_from(scale).unwrap(), positive_determinant })
    }

    fn lambda_balanced(lambda: f64, scale: f64) -> Init {
        let scale = NonNegative::try_from(scale).unwrap();
        Init::LambdaBalanced(LambdaBalancedStart { lambda: Finite::try_from(lambda).unwrap(), scale })
    }

    fn aligned(strengths: &[f64]) -> Init {
        let of = |s: &f64| NonNegative::try_from(*s).unwrap();
        Init::Aligned(match strengths {
            [strength] => AlignedStart { strength: Some(of(strength)), strengths: None },
            _ => AlignedStart { strength: None, strengths: Some(strengths.iter().map(of).collect()) },
        })
    }

    #[test]
    fn balanced_factors_are_balanced_and_multiply_to_the_gaussian_that_they_split() {
        let widths: [&[usize]; 4] = [&[], &[9], &[6, 4], &[8, 5, 7]];
        let direct = problem(6, 4);
        let whole = product(&factors(&balanced(0.3, false), &direct, &deep(&[]), 0));
        for widths in widths {
            let factors = factors(&balanced(0.3, false), &direct, &deep(widths), 0);
            assert!(gaps(&factors).iter().all(|gap| gap.amax() < 1e-14), "{widths:?}");
            assert!((product(&factors) - &whole).amax() < 1e-14, "{widths:?}");
        }
        // Entries of variance scale²/inputs: 24 × 200 squares, to four standard errors.
        let squares: f64 =
            (0..200).map(|r| product(&factors(&balanced(0.3, false), &direct, &deep(&[5]), r)).norm_squared()).sum();
        assert!((squares / (200.0 * 24.0 * 0.09 / 6.0) - 1.0).abs() < 4.0 * (2.0_f64 / 4800.0).sqrt());
        assert!(product(&factors(&balanced(0.0, false), &direct, &deep(&[5]), 0)).amax() <= 0.0);
        // A narrow layer keeps the largest singular values.
        let narrow = factors(&balanced(0.3, false), &direct, &deep(&[2, 5]), 0);
        assert!(gaps(&narrow).iter().all(|gap| gap.amax() < 1e-14));
        let [all, kept] = [&whole, &product(&narrow)].map(|m| ThinSvd::with_tolerance(m.as_view(), 1e-12).s);
        assert!(kept.len() == 2 && (kept[0] - all[0]).abs() < 1e-14 && (kept[1] - all[1]).abs() < 1e-14);
    }

    #[test]
    fn lambda_balanced_factors_differ_by_lambda() {
        for ([inputs, hidden, outputs], lambda) in [
            ([5, 5, 5], 2.0),
            ([5, 5, 5], -0.7),
            ([4, 6, 7], 1.5),
            ([7, 6, 4], -1.5),
            ([7, 4, 4], 1e-3),
            ([6, 3, 5], -40.0),
            ([4, 9, 3], 0.0),
        ] {
            let factors = factors(&lambda_balanced(lambda, 0.8), &problem(inputs, outputs), &deep(&[hidden]), 0);
            let gap = &gaps(&factors)[0] - DMatrix::identity(hidden, hidden) * lambda;
            // Rounding is relative to |λ|.
            assert!(
                gap.amax() < 1e-13 * lambda.abs().max(1.0),
                "{inputs}-{hidden}-{outputs}, λ = {lambda}: {}",
                gap.amax()
            );
            let rank = inputs.min(hidden).min(outputs);
            let kept = ThinSvd::with_tolerance(product(&factors).as_view(), 1e-12).s;
            assert_eq!(kept.len(), rank);
        }
        let said =
            |kind: &ParametrizationKind, lambda| lambda_balanced(lambda, 1.0).complaint(kind, 4, 3).map(|(key, _)| key);
        assert_eq!(said(&deep(&[4]), 1.0), Some("lambda-balanced.lambda"));
        assert_eq!(said(&deep(&[4]), -1.0), None);
        assert_eq!(said(&deep(&[5]), -1.0), Some("lambda-balanced.lambda"));
        assert_eq!(said(&deep(&[50]), 0.0), None);
        assert_eq!(said(&deep(&[3, 3]), 1.0), Some("lambda-balanced"));
        assert_eq!(said(&ParametrizationKind::Direct, 1.0), Some("lambda-balanced"));
    }

    #[test]
    fn aligned_factors_are_balanced_and_diagonal_in_the_modes() {
        let problem = problem(6, 4);
        let TargetModes { u, v, s } = TargetModes::of(&problem).unwrap();
        for widths in [&[][..], &[9], &[6, 4]] {
            // One strength for every mode, the two null ones too.
            let factors = factors(&aligned(&[1e-2]), &problem, &deep(widths), 0);
            assert!(gaps(&factors).iter().all(|gap| gap.amax() < 1e-14));
            let product = product(&factors);
            let strengths = ThinSvd::new(product.as_view()).s;
            assert!(strengths.len() == 4 && strengths.iter().all(|u0| (u0 - 1e-2).abs() < 1e-15), "{strengths:?}");
            let seen = u.tr_mul(&(&product * &v));
            assert!((seen - DMatrix::identity(s.len(), s.len()) * 1e-2).amax() < 1e-15);
        }
        let given = product(&factors(&aligned(&[0.1, 0.3, 0.2]), &problem, &deep(&[5, 5]), 0));
        let seen = u.tr_mul(&(&given * &v));
        assert!((seen - DMatrix::from_diagonal(&DVector::from_vec(vec![0.1, 0.3]))).amax() < 1e-15);
        assert!((ThinSvd::new(given.as_view()).all[1] - 0.2).abs() < 1e-15, "the third mode is a null mode");
        assert_eq!(aligned(&[0.1; 5]).complaint(&deep(&[9]), 6, 4).unwrap().0, "aligned.strengths");
        let neither = Init::Aligned(AlignedStart::default());
        assert_eq!(neither.complaint(&deep(&[9]), 6, 4).unwrap().0, "aligned");
    }

    #[test]
    fn end_to_end_starts_have_products_of_one_size_at_any_depth() {
        let scale = NonNegative::try_from(0.5).unwrap();
        let start = Init::EndToEnd(EndToEndStart { scale });
        for (kind, outputs) in [(ParametrizationKind::Direct, 1), (deep(&[]), 1), (deep(&[7]), 3), (deep(&[9, 8]), 3)] {
            let problem = problem(6, outputs);
            let squares: f64 = (0..2000)
                .map(|r| {
                    let theta = start.draw(Task::Matrix(&problem), &kind, None, (5, r)).unwrap();
                    kind.predictor(&theta, 6, outputs).iter().map(|w| w * w).sum::<f64>()
                })
                .sum();
            // Four standard errors of a mean over 2000 draws, each of which varies by up to its own size.
            assert!((squares / (2000.0 * 6.0 * outputs as f64 * 0.25 / 6.0) - 1.0).abs() < 4.0 / 2000.0_f64.sqrt());
        }
        assert!(start.complaint(&ParametrizationKind::HadamardProduct, 6, 1).is_some());
    }

    #[test]
    fn a_determinant_is_made_positive_by_one_row() {
        let gaussian = |positive_determinant| {
            Init::Gaussian(GaussianStart { scale: NonNegative::try_from(0.1).unwrap(), positive_determinant })
        };
        let mut turned = 0;
        for (kind, replicate) in
            [deep(&[3, 4]), ParametrizationKind::Direct].iter().flat_map(|k| (0..20).map(move |r| (k, r)))
        {
            let [plain, positive] = [false, true].map(|p| factors(&gaussian(p), &problem(3, 3), kind, replicate));
            assert!(product(&positive).determinant() > 0.0);
            turned += usize::from(plain != positive);
            let rest = |factors: &[DMatrix<f64>]| factors.last().unwrap().rows(1, 2).into_owned();
            assert_eq!(rest(&plain), rest(&positive));
            assert!(
                product(&factors(&balanced(0.1, true), &problem(3, 3), &deep(&[3, 3]), replicate)).determinant() > 0.0
            );
        }
        assert!((10..30).contains(&turned), "{turned} of 40 fair coins");
        let said = |kind: &ParametrizationKind, inputs| gaussian(true).complaint(kind, inputs, 3).map(|(key, _)| key);
        assert_eq!(said(&deep(&[3]), 3), None);
        assert_eq!(said(&deep(&[3]), 4), Some("gaussian.positive_determinant"));
        assert_eq!(said(&deep(&[2]), 3), Some("gaussian.positive_determinant"));
        assert_eq!(said(&ParametrizationKind::HadamardProduct, 3), Some("gaussian.positive_determinant"));
    }
}
