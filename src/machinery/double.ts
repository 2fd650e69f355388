/** A double as Go writes it: with an exponent, of two digits at least, outside of 1e-4 to 1e6. */
export function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  const power = Number(exponent)
  return power < -4 || power >= 6 ? `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}` : String(value)
}
