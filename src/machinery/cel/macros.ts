/** The calls that are not calls: `has`, and the macros with variables of their own. */
import type { Expr, FoldOp } from './ast.ts'
import { SyntaxFailure } from './lexer.ts'
import { INT } from './types.ts'

/** The function that `sortBy` ends in: the list, and the key of each element. */
export const sortByKeys = '@sortByAssociatedKeys'

/** What `target.name(args)` stands for when it is a macro, undefined when it is an ordinary call. */
export function macro(name: string, pos: number, target: Expr | undefined, args: readonly Expr[]): Expr | undefined {
  if (!target) return name === 'has' && args.length === 1 ? presence(pos, args[0] as Expr) : undefined
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) {
    return { kind: 'optMap', pos, target, variable: variable(args[0] as Expr), body: args[1] as Expr, flat: name === 'optFlatMap' }
  }
  const shape = folds[name]?.[args.length]
  if (!shape) return undefined
  if (shape.op === 'sortBy' && (target.kind === 'literal' || target.kind === 'map' || target.kind === 'struct')) throw new SyntaxFailure(target.pos, 'sortBy can only be applied to a list, identifier, comprehension, call or select expression')
  const named = shape.op === 'map' || shape.op === 'filter' || shape.op === 'sortBy'
  const variables = args.slice(0, shape.variables).map((arg) => variable(arg, named ? 'argument is not an identifier' : undefined))
  if (variables.length === 2 && variables[0] === variables[1]) throw new SyntaxFailure((args[1] as Expr).pos, `duplicate variable name: ${variables[1]}`)
  const rest = args.slice(shape.variables)
  return { kind: 'fold', pos, op: shape.op, range: target, variables, ...(rest.length === 2 ? { filter: rest[0] } : {}), body: rest.at(-1) as Expr }
}

/** `cel.bind(name, value, body)`, where it is known: the body of a list with that one value. */
export function binding(pos: number, [name, value, body]: readonly Expr[]): Expr {
  const range: Expr = { kind: 'list', pos, elements: [{ value: value as Expr, optional: false }] }
  const fold: Expr = { kind: 'fold', pos, op: 'map', range, variables: [variable(name as Expr, 'cel.bind() variable names must be simple identifiers')], body: body as Expr }
  return { kind: 'call', pos, fn: '_[_]', args: [fold, { kind: 'literal', pos, value: 0n, type: INT }] }
}

type Shapes = Readonly<Record<number, { readonly op: FoldOp; readonly variables: 1 | 2 }>>
const tests = (op: FoldOp): Shapes => ({ 2: { op, variables: 1 }, 3: { op, variables: 2 } })
const transforms = (op: FoldOp): Shapes => ({ 3: { op, variables: 2 }, 4: { op, variables: 2 } })

const folds: Readonly<Record<string, Shapes | undefined>> = Object.assign(Object.create(null) as Record<string, Shapes>, {
  all: tests('all'), exists: tests('exists'), exists_one: tests('existsOne'), existsOne: tests('existsOne'),
  filter: { 2: { op: 'filter', variables: 1 } },
  sortBy: { 2: { op: 'sortBy', variables: 1 } },
  map: { 2: { op: 'map', variables: 1 }, 3: { op: 'map', variables: 1 } },
  transformList: transforms('transformList'), transformMap: transforms('transformMap'), transformMapEntry: transforms('transformMapEntry'),
} satisfies Record<string, Shapes>)

function presence(pos: number, arg: Expr): Expr {
  if (arg.kind !== 'select' || arg.test) throw new SyntaxFailure(arg.pos, 'invalid argument to has() macro')
  return { ...arg, pos, test: true }
}

function variable(arg: Expr, what = 'argument must be a simple name'): string {
  if (arg.kind !== 'ident') throw new SyntaxFailure(arg.pos, what)
  if (arg.name === '__result__') throw new SyntaxFailure(arg.pos, 'iteration variable overwrites accumulator variable')
  return arg.name
}
