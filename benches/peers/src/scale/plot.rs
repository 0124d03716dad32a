//! Curves as a picture: SVG with logarithmic axes, which any browser shows.
//!
//! Neighbours: `mod` measures what is drawn.

use std::fmt::Write as _;

use super::Curve;
use crate::report::show;
use crate::turns::Unit;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 520.0;
/// Left, top, right and bottom of what is inside of the axes.
const INNER: [f64; 4] = [80.0, 20.0, 640.0, 470.0];

/// Colours that are told apart in light and dark, repeated with dashes.
const COLOURS: [&str; 8] =
    ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"];

/// A picture of curves over the number of `what`.
pub(super) fn draw(what: &str, curves: &[Curve]) -> String {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let across = range(points().map(|point| point.0 as f64));
    let up = range(points().map(|point| point.1));
    let [left, top, right, bottom] = INNER;
    let x = |size: f64| left + (right - left) * part(size, across);
    let y = |figure: f64| bottom - (bottom - top) * part(figure, up);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    for power in across.0..=across.1 {
        let (size, place) = (10f64.powi(power), x(10f64.powi(power)));
        line(&mut svg, [place, top, place, bottom]);
        label(&mut svg, (place, bottom + 18.0), "middle", &format!("{size}"));
    }
    for power in up.0..=up.1 {
        let (figure, place) = (10f64.powi(power), y(10f64.powi(power)));
        line(&mut svg, [left, place, right, place]);
        label(&mut svg, (left - 6.0, place + 4.0), "end", &show(figure, Unit::Nanoseconds));
    }
    label(&mut svg, (f64::midpoint(left, right), HEIGHT - 12.0), "middle", what);
    for (number, curve) in curves.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let dash = if number < COLOURS.len() { "" } else { " stroke-dasharray=\"6 4\"" };
        let path: Vec<String> = curve
            .points
            .iter()
            .map(|(size, figure)| format!("{:.1},{:.1}", x(*size as f64), y(*figure)))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
            path.join(" ")
        );
        let height = top + 14.0 + 22.0 * number as f64;
        let _ = writeln!(
            svg,
            "<line x1=\"{:.1}\" y1=\"{height:.1}\" x2=\"{:.1}\" y2=\"{height:.1}\" \
             stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
            right + 12.0,
            right + 36.0
        );
        let name = format!("{} ({:.2})", curve.name, curve.exponent());
        label(&mut svg, (right + 42.0, height + 4.0), "start", &name);
    }
    svg.push_str("</svg>\n");
    svg
}

/// The powers of ten around all values.
fn range(values: impl Iterator<Item = f64> + Clone) -> (i32, i32) {
    let least = values.clone().fold(f64::INFINITY, f64::min).max(1e-3);
    let most = values.fold(0.0, f64::max).max(1.0);
    (least.log10().floor() as i32, most.log10().ceil() as i32)
}

/// Where a value is in a range of powers of ten, from 0 to 1.
fn part(value: f64, (least, most): (i32, i32)) -> f64 {
    (value.max(1e-3).log10() - f64::from(least)) / f64::from((most - least).max(1))
}

fn line(svg: &mut String, [x1, y1, x2, y2]: [f64; 4]) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#dddddd\"/>"
    );
}

fn label(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#333333\">{text}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_is_inside_of_the_axes() {
        let points = vec![(10, 3.0), (10_000, 40_000.0)];
        let curve = Curve { name: "a".to_owned(), unit: Unit::Nanoseconds, points };
        let svg = draw("rows", &[curve]);
        let drawn = svg.split("<polyline points=\"").nth(1).and_then(|text| text.split('"').next());
        for place in drawn.unwrap_or_default().split([' ', ',']).collect::<Vec<_>>().chunks(2) {
            let numbers: Vec<f64> = place.iter().filter_map(|text| text.parse().ok()).collect();
            assert!(numbers[0] >= INNER[0] && numbers[0] <= INNER[2], "{svg}");
            assert!(numbers[1] >= INNER[1] && numbers[1] <= INNER[3], "{svg}");
        }
    }
}
