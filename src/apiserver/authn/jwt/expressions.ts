/** The expressions of an authentication configuration, in CEL. */
import type { Identity } from '../../identity.ts'

/** An expression over `claims`. Throws an `Error` that begins with `where` when it cannot be compiled. */
export function claimsExpression(source: string, where: string): (claims: object) => unknown {
  throw new Error(`${where}: expressions cannot be compiled: ${source}`)
}

/** An expression over `user`: `username`, `uid`, `groups` and `extra`. */
export function userExpression(source: string, where: string): (user: Identity) => unknown {
  throw new Error(`${where}: expressions cannot be compiled: ${source}`)
}
