/** What the OpenID Connect authenticator of k8s.io/apiserver v0.36.4 makes of claims, recorded for many mappings, rules and tokens. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileClaims, type Claims } from './claims.ts'
import type { JwtAuthenticator } from './configuration.ts'

interface Recorded {
  readonly claims: Readonly<Record<string, Claims>>
  readonly issuers: Readonly<Record<string, { readonly mappings: JwtAuthenticator; readonly answers: readonly (readonly [answer: unknown, claims: readonly string[]])[] }>>
}
const { claims, issuers } = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Recorded

describe('claims make of their bearer what was recorded', () => {
  it.each(Object.entries(issuers))('%s', (_, { mappings, answers }) => {
    const map = compileClaims(mappings)
    for (const [answer, names] of answers) {
      for (const name of names) {
        let made: unknown
        try {
          made = map(claims[name]!)
        } catch {
          made = 'refused'
        }
        expect(made, name).toEqual(answer)
      }
    }
  })
})
