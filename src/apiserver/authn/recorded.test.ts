/** What k8s.io/apiserver v0.36.4 makes of impersonation and of the headers of proxies, recorded for requests and rights that were made at random. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import { selfSigned } from '../testing/self-signed.ts'
import { isApiError } from '../../machinery/errors.ts'
import { createAuthorizer, mastersMode, type Action, type AuthorizationMode } from '../authz/authorizer.ts'
import type { Identity } from '../identity.ts'
import type { RawRequest } from './authenticator.ts'
import { impersonate } from './impersonation.ts'
import { requestHeaderAuthentication } from './request-header.ts'

const recorded = <T>(file: string): readonly T[] => JSON.parse(readFileSync(new URL(`recorded/${file}`, import.meta.url), 'utf8')) as T[]

interface Attempt {
  readonly User: { readonly Name: string; readonly Groups?: readonly string[]; readonly Extra?: Readonly<Record<string, readonly string[]>> }
  readonly Headers: Readonly<Record<string, readonly string[]>>
  readonly Info: { readonly IsResourceRequest: boolean; readonly Path: string; readonly Verb: string } & Readonly<Record<'APIGroup' | 'APIVersion' | 'Namespace' | 'Resource' | 'Subresource' | 'Name', string | undefined>>
  /** Rights: verb, group, resource, subresource, namespace and name, or verb and path; a star at the end is anything. */
  readonly Allowed: readonly string[]
  readonly answer: { readonly user?: { readonly Name: string; readonly UID: string; readonly Groups: readonly string[]; readonly Extra: Readonly<Record<string, readonly string[]>> | null }; readonly code?: number; readonly message?: string }
}

it('somebody is let be somebody else, or told why not, as recorded', async () => {
  const attempts = recorded<Attempt>('impersonation.json')
  expect(attempts.length).toBeGreaterThan(100)
  for (const { User, Headers, Info, Allowed, answer } of attempts) {
    const rights: AuthorizationMode = {
      name: 'recorded',
      authorize(_, a) {
        const asked = a.isResourceRequest ? [a.verb, a.group, a.resource, a.subresource, a.namespace, a.name].join('|') : `${a.verb}|${a.path}`
        return { opinion: Allowed.some((right) => right === asked || (right.endsWith('*') && asked.startsWith(right.slice(0, -1)))) ? 'allow' : 'none', reason: '' }
      },
    }
    const action: Action = {
      isResourceRequest: Info.IsResourceRequest, path: Info.Path, verb: Info.Verb, group: Info.APIGroup ?? '', version: Info.APIVersion ?? '', namespace: Info.Namespace ?? '',
      resource: Info.Resource ?? '', subresource: Info.Subresource ?? '', name: Info.Name ?? '',
    }
    const user: Identity = { name: User.Name, groups: User.Groups ?? [], ...(User.Extra ? { extra: User.Extra } : {}) }
    const headers = Object.fromEntries(Object.entries(Headers).map(([name, values]) => [name.toLowerCase(), values.join(', ')]))
    const made = await (async () => impersonate(user, headers, createAuthorizer([mastersMode, rights]), action))().then(
      ({ name, uid = '', groups, extra = null }) => ({ user: { Name: name, UID: uid, Groups: groups.toSorted(), Extra: extra } }),
      (error: unknown) => (isApiError(error) ? { code: error.code, message: error.message } : String(error)),
    )
    expect(made, JSON.stringify({ User, Headers, Info, Allowed })).toEqual(answer.user ? { user: { ...answer.user, Groups: answer.user.Groups ?? [] } } : answer)
  }
})

interface Proxied {
  readonly User: readonly string[]
  readonly UID: readonly string[]
  readonly Group: readonly string[]
  readonly Extra: readonly string[]
  readonly Headers: readonly (readonly [string, string])[]
  readonly answer: { readonly name: string; readonly uid: string; readonly groups: readonly string[] | null; readonly extra: Readonly<Record<string, readonly string[]>> | null } | null
}

it('the headers of a proxy say who it speaks for, as recorded', async () => {
  const { cert } = await selfSigned('front')
  const leaf = new X509Certificate(cert)
  const socket = { authorized: true, getPeerCertificate: () => ({ subject: { CN: 'front' } }), getPeerX509Certificate: () => leaf } as unknown as TLSSocket
  for (const { User, UID, Group, Extra, Headers, answer } of recorded<Proxied>('request-headers.json')) {
    const { authenticate } = requestHeaderAuthentication({ clientCa: cert, allowedNames: [], usernameHeaders: User, uidHeaders: UID, groupHeaders: Group, extraHeaderPrefixes: Extra })
    const found = authenticate({ headers: {}, rawHeaders: Headers.flat(), socket } as unknown as RawRequest) as Identity | undefined
    const made = found ? { name: found.name, uid: found.uid ?? '', groups: found.groups, extra: found.extra ?? {} } : null
    expect(made, JSON.stringify({ User, UID, Group, Extra, Headers })).toEqual(answer && { ...answer, groups: answer.groups ?? [], extra: answer.extra ?? {} })
  }
})
