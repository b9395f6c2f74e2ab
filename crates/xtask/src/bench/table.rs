//! Figures of loads, as a Markdown table.

use std::time::Duration;

use super::load::Sample;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) server: &'static str,
    pub(super) model: &'static str,
    pub(super) rows: usize,
}

/// Samples of each load, in the order they were first measured.
#[derive(Debug, Default)]
pub(super) struct Table {
    loads: Vec<(Measured, Vec<Sample>)>,
}

impl Table {
    /// Adds a sample.
    pub(super) fn add(&mut self, measured: Measured, sample: Sample) {
        match self.loads.iter_mut().find(|(known, _)| *known == measured) {
            Some((_, samples)) => samples.push(sample),
            None => self.loads.push((measured, vec![sample])),
        }
    }

    /// A row a load. Ratios are to the first server measured with the same model and rows.
    pub(super) fn markdown(&self) -> String {
        let head = "| model | rows | server | requests/s | CPU µs a request | p50 | p99 | × requests/s | × CPU |\n\
                    |---|---|---|---|---|---|---|---|---|\n";
        let rows = self.loads.iter().map(|(measured, samples)| self.row(*measured, samples));
        head.to_owned() + &rows.collect::<String>()
    }

    fn row(&self, measured: Measured, samples: &[Sample]) -> String {
        let figures = Figures::of(samples);
        let ratios = self.reference(measured).map_or_else(|| " – | – |".to_owned(), |first| figures.ratios(&first));
        let Measured { server, model, rows } = measured;
        format!("| {model} | {rows} | {server} {}{ratios}\n", figures.cells())
    }

    /// The figures that a load is compared to; none for those themselves.
    fn reference(&self, measured: Measured) -> Option<Figures> {
        let (first, samples) =
            self.loads.iter().find(|(other, _)| other.model == measured.model && other.rows == measured.rows)?;
        (*first != measured).then(|| Figures::of(samples))
    }
}

/// What several samples come to.
#[derive(Debug, Clone, Copy)]
struct Figures {
    requests_per_second: f64,
    cpu_micros: f64,
    /// Of the serving threads alone.
    serving_micros: Option<f64>,
    p50: Duration,
    p99: Duration,
}

impl Figures {
    fn of(samples: &[Sample]) -> Self {
        let median = |value: fn(&Sample) -> f64| median(samples.iter().map(value).collect());
        Self {
            requests_per_second: median(|sample| sample.requests_per_second),
            cpu_micros: median(|sample| sample.cpu.as_secs_f64() * 1e6 / sample.requests.max(1.0)),
            serving_micros: samples.iter().all(|sample| sample.serving.is_some()).then(|| {
                median(|sample| sample.serving.unwrap_or_default().as_secs_f64() * 1e6 / sample.requests.max(1.0))
            }),
            p50: Duration::from_secs_f64(median(|sample| sample.p50.as_secs_f64())),
            p99: Duration::from_secs_f64(median(|sample| sample.p99.as_secs_f64())),
        }
    }

    fn cells(&self) -> String {
        let (rate, cpu) = (self.requests_per_second, self.cpu_micros);
        let serving = self.serving_micros.map(|serving| format!(" ({serving:.1})")).unwrap_or_default();
        format!("| {rate:.0} | {cpu:.1}{serving} | {} | {} |", milliseconds(self.p50), milliseconds(self.p99))
    }

    /// How many times better the first one is.
    fn ratios(&self, first: &Self) -> String {
        let rate = first.requests_per_second / self.requests_per_second;
        let serving = first.serving_micros.map(|serving| format!(" ({:.0})", self.cpu_micros / serving));
        format!(" {rate:.0} | {:.0}{} |", self.cpu_micros / first.cpu_micros, serving.unwrap_or_default())
    }
}

fn milliseconds(length: Duration) -> String {
    format!("{:.2} ms", length.as_secs_f64() * 1e3)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(requests_per_second: f64, cpu_micros: u32) -> Sample {
        Sample {
            requests: 1000.0,
            requests_per_second,
            p50: Duration::from_micros(100),
            p99: Duration::from_micros(1500),
            cpu: Duration::from_millis(cpu_micros.into()),
            serving: (cpu_micros < 100).then_some(Duration::from_millis(u64::from(cpu_micros) - 1)),
        }
    }

    #[test]
    fn a_row_has_medians_and_ratios_to_the_first_server() {
        let mut table = Table::default();
        let of = |server| Measured { server, model: "LogisticRegression", rows: 1 };
        for cpu in [8_u32, 10, 9] {
            table.add(of("Provost"), sample(50_000.0 + f64::from(cpu), cpu));
        }
        table.add(of("MLServer"), sample(500.0, 1800));
        let text = table.markdown();
        let rows: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(rows[0], "| LogisticRegression | 1 | Provost | 50009 | 9.0 (8.0) | 0.10 ms | 1.50 ms | – | – |");
        assert_eq!(
            rows[1],
            "| LogisticRegression | 1 | MLServer | 500 | 1800.0 | 0.10 ms | 1.50 ms | 100 | 200 (225) |"
        );
    }
}
