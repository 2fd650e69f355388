/** The errors of expressions: they do not compile, fail to evaluate, or cost too much. */

/** One error in the source; `offset` in UTF-16 units from its start. */
export interface CelIssue { readonly offset: number; readonly message: string }

/** An expression that does not compile, or failed to evaluate: `message` is cel-go's. */
export class CelError extends Error {
  readonly issues: readonly CelIssue[]
  constructor(message: string, issues: readonly CelIssue[] = []) {
    super(message)
    this.name = 'CelError'
    this.issues = issues
  }
}

/** An expression that compiles, but of which a constant part can only fail. */
export class CelProgramError extends CelError {
  constructor(message: string) {
    super(message)
    this.name = 'CelProgramError'
  }
}

/** Evaluation was stopped because it exceeded its cost limit. */
export class CelCostExceeded extends CelError {
  constructor() {
    super('operation cancelled: actual cost limit exceeded')
    this.name = 'CelCostExceeded'
  }
}

/** The error of an expression, as `ERROR: <input>:1:5: message` with the line and a pointer below it, for each issue. */
export function compileError(source: string, issues: readonly CelIssue[]): CelError {
  return new CelError(issues.map((issue) => shown(source, issue)).join('\n'), issues)
}

function shown(source: string, { offset, message }: CelIssue): string {
  const before = source.slice(0, offset)
  const line = before.split('\n').length
  const start = before.lastIndexOf('\n') + 1
  const end = source.indexOf('\n', start)
  const ahead = Array.from(source.slice(start, offset))
  const column = ahead.length
  // Non-ASCII characters count as two columns.
  const wide = (character: string | undefined): boolean => (character ?? '') > '\x7f'
  const text = source.slice(start, end < 0 ? undefined : end).replaceAll('\t', ' ')
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${text}\n | ${ahead.map((character) => (wide(character) ? '．' : '.')).join('')}${wide(source[offset]) ? '＾' : '^'}`
}

/** Thrown inside an evaluation: light, because `||` may catch thousands of them. It leaves the evaluation as a `CelError`. */
export class Failure {
  readonly message: string
  constructor(message: string) { this.message = message }
}

/** Ends an evaluation with an error that `&&` and `||` may still absorb. */
export function fail(message: string): never {
  throw new Failure(message)
}
export const noSuchOverload = (): never => fail('no such overload')

/**
 * Steps that one evaluation may take, besides its cost: Kubernetes's costs know nothing of what lists of shared lists grow to, so that a cheap
 * comparison could go on forever. Evaluations do not wait for anything, so one counter does for all.
 */
const mostWork = 20_000_000
let workLeft = mostWork

/** Counts `steps`; ends the evaluation when they are too many. */
export function work(steps: number): void {
  workLeft -= steps
  if (workLeft < 0) throw new CelCostExceeded()
}

let depth = 0

/** Runs an evaluation with its own count of steps, unless it is part of another one. */
export function counted<T>(run: () => T): T {
  if (depth++ === 0) workLeft = mostWork
  try {
    return run()
  } finally {
    depth--
  }
}
