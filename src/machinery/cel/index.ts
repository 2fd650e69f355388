/**
 * The Common Expression Language, as Kubernetes has it. Load this with `await import()`: a cluster without expressions has no use for it.
 *
 * ```ts
 * const env = celEnvironment({ variables: { self: objectOf('Object', { replicas: INT }) } })
 * const program = compileCel('self.replicas <= 5', env)
 * program.evaluate({ self: { replicas: 3 } }).value // true
 * ```
 */
import { childrenOf, type Expr } from './ast.ts'
import { checkCel, type Types } from './check.ts'
import { estimateCost } from './cost.ts'
import { CelCostExceeded, CelError, CelProgramError, Failure, counted } from './errors.ts'
import { functionTable, type FunctionDeclaration, type Functions, type Size } from './functions.ts'
import { libraries } from './library/index.ts'
import { validateLiterals } from './literals.ts'
import { parseCel } from './parser.ts'
import { createPlanner, type Frame } from './plan.ts'
import { BOOL, BYTES, DOUBLE, DURATION, DYN, INT, NULL, STRING, TIMESTAMP, UINT, listOf, mapOf, optionalOf, typeOf, type CelObjectType, type CelType } from './types.ts'
import { toJson as jsonOf, type CelValue } from './values.ts'

export * from './types.ts'
export { CelCostExceeded, CelError, CelProgramError, Failure, fail, type CelIssue } from './errors.ts'
export { Boxed, CelList, CelMap, CelObject, LazyObject, NONE, Optional, Timestamp, Duration, Uint, adapt, typeNameOf, type CelValue } from './values.ts'
export { writtenAt } from './written.ts'
export { fn, method, type FunctionDeclaration } from './functions.ts'
export { AUTHORIZER, RESOURCE_CHECK, authorizerValue, resourceCheckValue, type Ask, type AuthorizationAnswer, type AuthorizationQuestion } from './library/authorizer.ts'
export { JSON_PATCH, mutation } from './library/mutation.ts'

/** What one call may cost at most (Kubernetes's PerCallLimit). */
export const perCallLimit = 1_000_000

export interface CelEnvironment {
  readonly variables: ReadonlyMap<string, CelType>
  readonly functions: Functions
  readonly types: Types
  /** The type by which the sizes of values are known ahead, from the root variables down. */
  readonly measured?: CelType | undefined
  /** Whether `cel.bind` is known. */
  readonly bindings?: boolean | undefined
}

export interface CelProgram {
  readonly source: string
  readonly type: CelType
  /** What an evaluation can cost; `max` is Infinity where the types give no bound. */
  readonly cost: Size
  /** The root variables that the expression mentions, macros' own left out. */
  readonly references: ReadonlySet<string>
  readonly root: Expr
  /**
   * Evaluates. `variables` are JSON values (adapted to the declared types as they are looked at) or values of CEL; those that are declared but
   * not given are an error when they are asked for, `undefined` and `null` are null. Throws `CelError` when the evaluation fails, and
   * `CelCostExceeded` when it costs more than `budget` (at most, and by default, `perCallLimit`); `cost` of the error is what was spent.
   */
  evaluate(variables: Readonly<Record<string, unknown>>, options?: { readonly budget?: number }): CelResult
}

export interface CelResult { readonly value: CelValue; readonly cost: number }

const standardTypes: readonly (readonly [string, CelType])[] = [
  ['int', INT], ['uint', UINT], ['double', DOUBLE], ['bool', BOOL], ['string', STRING], ['bytes', BYTES], ['null_type', NULL], ['dyn', DYN],
  ['list', listOf(DYN)], ['map', mapOf(DYN, { key: DYN })], ['type', typeOf(DYN)], ['optional_type', optionalOf(DYN)],
  ['google.protobuf.Timestamp', TIMESTAMP], ['google.protobuf.Duration', DURATION],
]
let standardFunctions: Functions | undefined

/** What expressions can name: variables, further functions, and object types that they can make (`Object.spec{…}`). Kubernetes's libraries are always there. */
export function celEnvironment(options: {
  readonly variables: Readonly<Record<string, CelType>>
  readonly functions?: readonly FunctionDeclaration[]
  readonly types?: readonly CelObjectType[]
  /** For types that are not known ahead: the object type of a name that is nothing else. */
  readonly typeOf?: (name: string) => CelObjectType | undefined
  /** For estimates of costs: the type that root variables have, whose `max` bounds their parts. Without it nothing is bounded. */
  readonly measured?: CelType
  /** Whether `cel.bind(name, value, body)` is known; Kubernetes has it only where devices are selected. */
  readonly bindings?: boolean
}): CelEnvironment {
  standardFunctions ??= functionTable(libraries)
  const types = new Map<string, CelType>([...standardTypes, ...(options.types ?? []).map((type): [string, CelType] => [type.name, type])])
  return {
    variables: new Map(Object.entries(options.variables)),
    functions: options.functions?.length ? functionTable([...libraries, options.functions]) : standardFunctions,
    measured: options.measured,
    bindings: options.bindings,
    types: options.typeOf ? { get: (name) => types.get(name) ?? options.typeOf?.(name) } : types,
  }
}

/** An expression, parsed, checked and ready. Throws `CelError` worded like cel-go: `ERROR: <input>:1:6: undeclared reference to 'x' (in container '')…`. */
export function compileCel(source: string, env: CelEnvironment): CelProgram {
  const root = parseCel(source, env.bindings ? { bindings: true } : {})
  const checked = checkCel(source, root, env)
  validateLiterals(source, checked)
  const planner = createPlanner(checked, env.variables)
  const step = planner.plan(root, { slots: new Map(), next: 0 })
  if (planner.hopeless.length > 0) throw new CelProgramError(planner.hopeless[0] as string)
  let cost: Size | undefined
  let references: ReadonlySet<string> | undefined
  return {
    source,
    root,
    type: checked.type,
    get cost() { return (cost ??= estimateCost(checked, env.measured)) },
    get references() { return (references ??= referencesOf(root, env.variables)) },
    evaluate(variables, { budget = perCallLimit } = {}) {
      const frame: Frame = { cost: 0, limit: Math.min(budget, perCallLimit), variables, roots: [], locals: [] }
      try {
        return { value: counted(() => step(frame)), cost: frame.cost }
      } catch (error) {
        throw failed(error, frame.cost)
      }
    },
  }
}

/** A value as JSON: ints as numbers, times as text, objects with their JSON names. Throws `CelError` for what JSON has no form of. */
export function toJson(value: CelValue): unknown {
  try {
    return counted(() => jsonOf(value))
  } catch (error) {
    throw failed(error, 0)
  }
}

/** What went wrong, as the error that callers see. */
function failed(error: unknown, cost: number): unknown {
  if (error instanceof CelCostExceeded) return Object.assign(error, { cost })
  if (error instanceof Failure) return Object.assign(new CelError(error.message), { cost })
  if (error instanceof RangeError) return Object.assign(new CelError(`the values are nested too deep or grow too big: ${error.message}`), { cost })
  return error
}

function referencesOf(root: Expr, variables: ReadonlyMap<string, CelType>): ReadonlySet<string> {
  const found = new Set<string>()
  const visit = (expr: Expr, own: ReadonlySet<string>): void => {
    if (expr.kind === 'ident' && !own.has(expr.name) && variables.has(expr.name)) found.add(expr.name)
    if (expr.kind === 'fold') {
      visit(expr.range, own)
      const inner = new Set([...own, ...expr.variables])
      if (expr.filter) visit(expr.filter, inner)
      visit(expr.body, inner)
    } else if (expr.kind === 'optMap') {
      visit(expr.target, own)
      visit(expr.body, new Set([...own, expr.variable]))
    } else {
      for (const child of childrenOf(expr)) visit(child, own)
    }
  }
  visit(root, new Set())
  return found
}

