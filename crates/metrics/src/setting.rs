//! What all rows of one cell share: the problem, its target in canonical coefficients, its row space.

use crate::instruments::CurveInstruments;
use crate::lanes::Strips;
use crate::projection::Projection;
use crate::risk::Hull;
use crate::{Instruments, MetricDef};
use std::cell::OnceCell;
use std::sync::Arc;
use taut_numerics::ThinSvd;
use taut_problem::Regression;

/// One cell's problem with what the metrics need to know of it.
///
/// Costly parts are prepared when the first metric asks for them, so a setting belongs to one thread.
pub struct Setting<'a> {
    instruments: &'a Instruments,
    problem: &'a Regression,
    svd: &'a ThinSvd,
    wants_arc: bool,
    samples: OnceCell<SampleTable>,
    projection: OnceCell<Option<Arc<Projection>>>,
    hull: OnceCell<Option<Hull>>,
    row_space: OnceCell<RowSpace>,
    min_norm: OnceCell<Vec<f64>>,
    least_bending: OnceCell<Option<f64>>,
}

/// Φᵀ and y, laid out for [`Strips`].
pub(crate) struct SampleTable {
    pub(crate) design: Strips,
    /// y, filled up with zeros to whole strips.
    pub(crate) y: Vec<f64>,
    /// Sample indices by ascending x, one per distinct x; empty where there is no line.
    pub(crate) order: Vec<usize>,
}

/// V and Vᵀ, row-major, with columns and rows filled up with zeros.
pub(crate) struct RowSpace {
    pub(crate) rank: usize,
    pub(crate) features: usize,
    pub(crate) v: Vec<f64>,
    pub(crate) v_transposed: Vec<f64>,
}

impl<'a> Setting<'a> {
    /// `svd` is that of `problem.design`; `metrics` is what will be measured.
    pub fn new(
        instruments: &'a Instruments,
        problem: &'a Regression,
        svd: &'a ThinSvd,
        metrics: &[&'static MetricDef],
    ) -> Self {
        Self {
            instruments,
            problem,
            svd,
            wants_arc: metrics.iter().any(|m| m.name == "arc_length"),
            samples: OnceCell::new(),
            projection: OnceCell::new(),
            hull: OnceCell::new(),
            row_space: OnceCell::new(),
            min_norm: OnceCell::new(),
            least_bending: OnceCell::new(),
        }
    }

    /// The least ∫f″² of any function in the span of the features that goes through the points;
    /// `None` if there is none.
    pub fn least_bending_energy(&self) -> Option<f64> {
        *self.least_bending.get_or_init(|| {
            let curve = self.curve()?;
            curve.bending.as_ref()?.least_energy(&curve.family, &self.problem.x, &self.problem.y)
        })
    }

    /// The right singular vector of the largest singular value; empty if the design is zero.
    pub(crate) fn leading_direction(&self) -> Vec<f64> {
        if self.svd.rank() == 0 { Vec::new() } else { self.svd.v.column(0).iter().copied().collect() }
    }

    pub(crate) fn problem(&self) -> &'a Regression {
        self.problem
    }

    /// The instruments of curves; none where the points are not on the line.
    pub(crate) fn curve(&self) -> Option<&'a CurveInstruments> {
        self.instruments.curve().filter(|_| !self.problem.x.is_empty())
    }

    /// Whether arc lengths will be asked for: they are then measured in the same sweep over the grid.
    pub(crate) fn wants_arc(&self) -> bool {
        self.wants_arc
    }

    pub(crate) fn samples(&self) -> &SampleTable {
        self.samples.get_or_init(|| SampleTable::new(self.problem))
    }

    pub(crate) fn projection(&self) -> Option<&Projection> {
        let find = || Some(self.curve()?.projection_of(self.problem.target.as_ref()?));
        self.projection.get_or_init(find).as_deref()
    }

    pub(crate) fn hull(&self) -> Option<&Hull> {
        let build = || Some(Hull::new(self.curve()?, &self.problem.x, self.problem.target.as_ref()?));
        self.hull.get_or_init(build).as_ref()
    }

    pub(crate) fn row_space(&self) -> &RowSpace {
        self.row_space.get_or_init(|| RowSpace::new(self.svd))
    }

    /// θ_MN = V diag(1/s) Uᵀ y.
    pub(crate) fn min_norm(&self) -> &[f64] {
        self.min_norm.get_or_init(|| self.svd.filtered_solution(&self.problem.y, |_| 1.0))
    }
}

impl SampleTable {
    fn new(problem: &Regression) -> Self {
        let (n, p) = problem.design.shape();
        // A column-major n × p design is a row-major p × n table.
        let design = Strips::new(problem.design.as_slice(), p, n);
        let mut y = problem.y.clone();
        y.resize(n.next_multiple_of(crate::lanes::STRIP), 0.0);
        let mut order: Vec<usize> = (0..problem.x.len()).collect();
        order.sort_by(|&a, &b| problem.x[a].total_cmp(&problem.x[b]));
        order.dedup_by(|b, a| problem.x[*a] >= problem.x[*b]);
        Self { design, y, order }
    }
}

impl RowSpace {
    fn new(svd: &ThinSvd) -> Self {
        let (features, rank) = (svd.v.nrows(), svd.rank());
        let (wide_rank, wide_features) = (rank.next_multiple_of(16), features.next_multiple_of(16));
        let mut v = vec![0.0; features * wide_rank];
        let mut v_transposed = vec![0.0; wide_rank * wide_features];
        for i in 0..rank {
            for j in 0..features {
                v[j * wide_rank + i] = svd.v[(j, i)];
                v_transposed[i * wide_features + j] = svd.v[(j, i)];
            }
        }
        Self { rank: wide_rank, features: wide_features, v, v_transposed }
    }
}
