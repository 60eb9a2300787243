//! What should have happened: one result per file, each with assumptions and citation.
//!
//! Floor 2: a second witness. Nothing here sees a stepper or shares its formulas; the common ground
//! is the problem itself, and the decompositions used here are not those of the trainer.

mod assumptions;
mod basis_pursuit;
mod critical_step;
mod diagonal_network;
mod extremum;
mod factored_start;
mod filter;
mod flow_integrator;
mod least_norm_end;
mod marchenko_pastur;
mod mirror_map;
mod mode_growth;
mod population;
mod prediction;
mod predictor_flow;
mod principal_axes;
mod second_moments;
mod singular_modes;
mod teacher_frame;

#[cfg(test)]
mod gaussian_cases;
#[cfg(test)]
mod matrix_cases;
#[cfg(test)]
mod reference_tables;

pub use prediction::{Build, MatrixPremise, Mode, Number, Prediction, Premise, TheoryDef};

/// A file for each name, and its `THEORY` in the table.
macro_rules! theories {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// Every theory.
        pub static THEORIES: &[TheoryDef] = &[$($module::THEORY),*];
    };
}

theories! {
    averaged_iterate_bound,
    benign_overfitting_ranks,
    epochwise_double_descent,
    gradient_flow_against_ridge,
    isotropic_ridge_risk,
    marchenko_pastur_dynamics,
    min_norm_limit,
    mode_filters,
    ridgeless_finite_n,
    double_descent_decomposition,
    expected_risk_of_least_squares,
    harmless_interpolation_fourier,
    dropout_ridge,
    sgd_stationary_covariance,
    sgd_stability,
    inverse_schedule,
    constant_step_plateau,
    nuclear_norm_minimizer,
    singular_value_flow,
    commuting_measurements,
    unobserved_entry_bound,
    q_alpha_minimizer,
    effective_alpha_drift,
    incremental_learning_overlap,
    saddle_to_saddle_events,
    balanced_minimum_sharpness,
    edge_of_stability_two_cycle,
    sharpness_plateau_bounds,
    unbalanced_flow_sharpness,
    deep_linear_modes,
    random_start_modes,
    unbalanced_modes,
    rank_one_deep_flow,
    balanced_end_to_end_flow,
    lambda_balanced_riccati,
    balancedness_drift,
    hierarchical_tree,
    noisy_teacher_generalization,
}

/// The theory of that name.
pub fn theory(name: &str) -> Option<&'static TheoryDef> {
    THEORIES.iter().find(|t| t.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theory_says_what_it_is_and_assumes() {
        for (i, theory) in THEORIES.iter().enumerate() {
            assert!(!theory.doc.is_empty() && !theory.assumes.is_empty() && !theory.cite.is_empty());
            assert!(THEORIES[..i].iter().all(|other| other.name != theory.name));
        }
    }
}
