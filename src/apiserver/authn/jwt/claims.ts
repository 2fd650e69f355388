/** What the claims of a token make of its bearer: name, groups, uid and extra, by claim or by expression. */
import { decodeJwt } from 'jose'
import type { Identity } from '../../identity.ts'
import type { JwtAuthenticator, PrefixedClaimOrExpression } from './configuration.ts'
import { claimsExpression, userExpression, type Wanted } from './expressions.ts'

export type Claims = Readonly<Record<string, unknown>>
/** Throws an `Error` that says which rule the claims do not keep. */
export type MapClaims = (claims: Claims) => Identity

type Read = (claims: Claims) => unknown

/** Compiles the mappings and rules of one issuer. Throws an `Error` that names the expression which cannot be compiled. */
export function compileClaims({ claimMappings, claimValidationRules = [], userValidationRules = [] }: JwtAuthenticator): MapClaims {
  const username = nameReader(claimMappings?.username ?? {})
  const groups = claimMappings?.groups && groupsReader(claimMappings.groups)
  const uid = claimMappings?.uid && (claimMappings.uid.claim || claimMappings.uid.expression) && read(claimMappings.uid, 'claimMappings.uid.expression', 'text')
  const extra = (claimMappings?.extra ?? []).map(({ key = '', valueExpression = '' }) => ({ key, read: claimsExpression(valueExpression, `claimMappings.extra[${key}].valueExpression`, 'texts') }))
  const claimRules = claimValidationRules.map((rule) => ({ rule, test: rule.expression ? claimsExpression(rule.expression, 'claimValidationRules.expression', 'condition') : undefined }))
  const userRules = userValidationRules.map((rule) => ({ rule, test: userExpression(rule.expression ?? '', 'userValidationRules.expression') }))

  return (claims) => {
    for (const { rule, test } of claimRules) {
      if (test) {
        if (test(claims) !== true) throw new Error(`validation expression '${rule.expression}' failed: ${rule.message ?? ''}`)
      } else if ((claims[rule.claim ?? ''] === null ? '' : claims[rule.claim ?? '']) !== (rule.requiredValue ?? '')) {
        throw new Error(`required claim ${rule.claim} value does not match. Got = ${JSON.stringify(claims[rule.claim ?? ''])}, want = ${JSON.stringify(rule.requiredValue ?? '')}`)
      }
    }
    const identity: Identity = {
      name: username(claims),
      ...(uid ? uidOf(uid(claims)) : {}),
      groups: groups?.(claims) ?? [],
      ...extraOf([['authentication.kubernetes.io/credential-id', credentialOf(claims)], ...extra.map(({ key, read }) => [key, texts(read(claims), `extra ${key}`)] as const)]),
    }
    for (const { rule, test } of userRules) {
      if (test(identity) !== true) throw new Error(`validation expression '${rule.expression}' failed: ${rule.message ?? ''}`)
    }
    return identity
  }
}

function read({ claim, expression }: { readonly claim?: string | undefined; readonly expression?: string | undefined }, where: string, kind: Wanted): Read {
  if (expression) return claimsExpression(expression, where, kind)
  return (claims) => {
    if (claim === undefined || claims[claim] === undefined) throw new Error(`claim ${JSON.stringify(claim)} is not present`)
    return claims[claim] ?? ''
  }
}

function nameReader(mapping: PrefixedClaimOrExpression): (claims: Claims) => string {
  const value = read(mapping, 'claimMappings.username.expression', 'text')
  return (claims) => {
    const name = value(claims)
    if (typeof name !== 'string' || name === '') throw new Error('the user\'s name is no text, or empty')
    // An address that the issuer says it did not check is nobody's name.
    if (mapping.claim === 'email' && 'email_verified' in claims && claims['email_verified'] !== true) throw new Error('email not verified')
    return (mapping.prefix ?? '') + name.toWellFormed()
  }
}

function groupsReader(mapping: PrefixedClaimOrExpression): ((claims: Claims) => readonly string[]) | undefined {
  const { claim, expression, prefix = '' } = mapping
  if (expression) {
    const value = read(mapping, 'claimMappings.groups.expression', 'texts')
    return (claims) => texts(value(claims), 'groups')
  }
  return claim ? (claims) => named(claims[claim]).map((group) => prefix + group.toWellFormed()) : undefined
}

/** What a claim names: one text or a list of them, as they are. */
function named(value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  if (typeof value === 'string') return [value]
  if (Array.isArray(value) && value.every((v) => typeof v === 'string' || v === null)) return value.map((v) => v ?? '')
  throw new Error('the groups are neither a text nor a list of texts')
}

const credentialOf = ({ jti }: Claims): readonly string[] => (typeof jti === 'string' && jti !== '' ? [`JTI=${jti}`] : [])

function uidOf(value: unknown): { readonly uid?: string } {
  if (typeof value !== 'string') throw new Error('the uid is no text')
  return value === '' ? {} : { uid: value }
}

/** What an expression made: one text or a list of them, without those that are empty. */
function texts(value: unknown, what: string): readonly string[] {
  if (value === undefined || value === null || value === '') return []
  if (typeof value === 'string') return [value]
  if (Array.isArray(value) && value.every((v) => typeof v === 'string')) return value.filter((v) => v !== '')
  throw new Error(`the ${what} are neither a text nor a list of texts`)
}

function extraOf(entries: readonly (readonly [string, readonly string[]])[]): { readonly extra?: Readonly<Record<string, readonly string[]>> } {
  const there = entries.filter(([, values]) => values.length > 0)
  return there.length > 0 ? { extra: Object.fromEntries(there) } : {}
}

/** The `iss` of what looks like a token, unchecked: to tell whose it would be. */
export function issuerOf(token: string): string | undefined {
  if (token.split('.').length !== 3) return undefined
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}
