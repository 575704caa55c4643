/**
 * P[χ² with `degrees` degrees of freedom ≥ statistic]: the upper regularized incomplete gamma function
 * Q(degrees/2, statistic/2), by its series below the mean and Lentz's continued fraction above (Press et al.,
 * "Numerical Recipes", 3rd ed., section 6.2; DLMF 8.11.4 and 8.9.2).
 */
export function chiSquaredTail(statistic: number, degrees: number): number {
  const a = degrees / 2;
  const x = statistic / 2;
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - front * seriesOfLower(a, x) : front * fractionOfUpper(a, x);
}

function seriesOfLower(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

function fractionOfUpper(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let value = d;
  for (let i = 1; i < 100_000; i++) {
    const numerator = -i * (i - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-13) return value;
  }
  throw new Error('the continued fraction does not converge');
}

/** ln Γ(a) by Stirling's series (DLMF 5.11.1) after shifting a above 20. */
function logGamma(a: number): number {
  let shift = 0;
  let z = a;
  for (; z < 20; z++) shift += Math.log(z);
  const inverse = 1 / z;
  const series = inverse / 12 - inverse ** 3 / 360 + inverse ** 5 / 1260 - inverse ** 7 / 1680;
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series - shift;
}
