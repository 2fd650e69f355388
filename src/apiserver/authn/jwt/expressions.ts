/** The expressions of an authentication configuration, in CEL. */
import { childrenOf, type Expr } from '../../../machinery/cel/ast.ts'
import { BOOL, CelError, CelProgramError, CelList, celEnvironment, compileCel, DYN, isDyn, LazyObject, listOf, mapOf, objectOf, STRING, toJson, type CelEnvironment, type CelType, type CelValue } from '../../../machinery/cel/index.ts'
import type { Identity } from '../../identity.ts'

const claimsEnvironment = celEnvironment({ variables: { claims: mapOf(DYN) } })
const userEnvironment = celEnvironment({
  variables: { user: objectOf('kubernetes.UserInfo', { username: STRING, uid: STRING, groups: listOf(STRING), extra: mapOf(listOf(STRING)) }) },
})

/** What an expression must give: a condition, a text, or one text or a list of them. */
export type Wanted = 'condition' | 'text' | 'texts'
const wanted: Readonly<Record<Wanted, { readonly fits: (type: CelType) => boolean; readonly says: string }>> = {
  condition: { fits: (type) => type.kind === BOOL.kind, says: 'must evaluate to bool' },
  text: { fits: (type) => type.kind === 'string', says: 'must evaluate to string' },
  texts: { fits: (type) => type.kind === 'string' || type.kind === 'list', says: 'must evaluate to string or list of string' },
}

function compile(source: string, env: CelEnvironment, where: string, kind: Wanted): (variables: Readonly<Record<string, unknown>>) => unknown {
  try {
    const program = compileCel(source, env)
    if (!isDyn(program.type) && !wanted[kind].fits(program.type)) throw new CelError(wanted[kind].says)
    return (variables) => toJson(program.evaluate(variables).value)
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    throw new Error(`${where}: Invalid value: ${JSON.stringify(source)}: ${error instanceof CelProgramError ? 'program instantiation' : 'compilation'} failed: ${error.message}`, { cause: error })
  }
}

/** An expression over `claims`. Throws an `Error` that begins with `where` when it cannot be compiled. */
export function claimsExpression(source: string, where: string, kind: Wanted): (claims: object) => unknown {
  const run = compile(source, claimsEnvironment, where, kind)
  return (claims) => run({ claims: celOf(claims) })
}

/** Claims as CEL has them: every number of a token is a double. */
function celOf(json: unknown): CelValue {
  if (Array.isArray(json)) return new CelList(json.map(celOf))
  if (typeof json !== 'object' || json === null) return json as CelValue
  return new LazyObject('map', new Map(Object.entries(json).map(([key, value]) => [key, () => celOf(value)])))
}

/** Whether an expression looks at `claims.<name>`, or at `claims.?<name>`; false for one that cannot be compiled. */
export function readsClaim(source: string | undefined, name: string): boolean {
  if (!source) return false
  const reads = (expr: Expr): boolean => {
    if (expr.kind === 'select' && expr.field === name && isClaims(expr.operand)) return true
    if (expr.kind === 'call' && expr.fn === '_?._' && isClaims(expr.args[0]) && expr.args[1]?.kind === 'literal' && expr.args[1].value === name) return true
    return childrenOf(expr).some(reads)
  }
  try {
    return reads(compileCel(source, claimsEnvironment).root)
  } catch (error) {
    if (error instanceof CelError) return false // said where it is compiled
    throw error
  }
}

const isClaims = (expr: Expr | undefined): boolean => expr?.kind === 'ident' && expr.name === 'claims'

/** A condition over `user`: `username`, `uid`, `groups` and `extra`. */
export function userExpression(source: string, where: string): (user: Identity) => unknown {
  const run = compile(source, userEnvironment, where, 'condition')
  return ({ name, uid = '', groups, extra = {} }) => run({ user: { username: name, uid, groups, extra } })
}
