//! How sure a share is.

/// A share of some rows with the Wilson interval of 95 %.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    /// Those counted.
    pub hits: usize,
    /// All.
    pub all: usize,
}

impl Interval {
    /// The share itself, 0 to 1.
    pub fn share(self) -> f64 {
        self.hits as f64 / self.all.max(1) as f64
    }

    /// The least and the most it may be.
    pub fn bounds(self) -> (f64, f64) {
        if self.all == 0 {
            return (0.0, 1.0);
        }
        let (n, share, z) = (self.all as f64, self.share(), 1.959_964_f64);
        let centre = share + z * z / (2.0 * n);
        let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        let whole = 1.0 + z * z / n;
        (((centre - spread) / whole).max(0.0), ((centre + spread) / whole).min(1.0))
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (low, high) = self.bounds();
        write!(to, "{:.1} % ({:.1} – {:.1})", 100.0 * self.share(), 100.0 * low, 100.0 * high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_wilson() {
        // Worked by hand from the formula, z = 1.96.
        assert_eq!(Interval { hits: 0, all: 100 }.to_string(), "0.0 % (0.0 – 3.7)");
        assert_eq!(Interval { hits: 10, all: 100 }.to_string(), "10.0 % (5.5 – 17.4)");
        assert_eq!(Interval { hits: 50, all: 50 }.to_string(), "100.0 % (92.9 – 100.0)");
    }
}
