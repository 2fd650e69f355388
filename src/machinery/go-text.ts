/** Values in the words of Go, in which Kubernetes quotes them in some of its errors. */

/** A value as Go prints it: `map[image:i ports:[map[containerPort:80]]]`. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (typeof value === 'object') return `map[${Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => `${key}:${goText(inner)}`).join(' ')}]`
  return typeof value === 'number' ? goNumber(value) : String(value)
}

/** Whole numbers are printed in full, others with an exponent from 1e+21 on, and below 1e-4. */
function goNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return BigInt(value).toString()
  return value.toString().replace(/e([+-])(\d)$/, 'e$10$2')
}

/** What a JSON value is in Go: `map[string]interface {}`. */
export function goType(value: unknown): string {
  if (value === null || value === undefined) return '%!s(<nil>)'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  if (typeof value === 'bigint') return 'int64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}
