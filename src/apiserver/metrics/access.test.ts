import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { unauthorized } from '../../machinery/errors.ts'
import type { RawRequest } from '../authn/authenticator.ts'
import { createAuthorizer, mastersMode, type Action, type AuthorizationMode } from '../authz/authorizer.ts'
import { publicMode } from '../authz/public.ts'
import type { Identity } from '../identity.ts'
import { createAccessMetrics } from './access.ts'

const request = (authorization?: string) => ({ headers: { authorization }, socket: {} }) as unknown as RawRequest
const user = (name: string, groups: readonly string[] = []): Identity => ({ name, groups })
const visit = (path: string): Action => ({ isResourceRequest: false, path, verb: 'get', group: '', version: '', namespace: '', resource: '', subresource: '', name: '' })

it('counts who came in, by the kind of name alone, and who did not', async () => {
  const registry = new Registry()
  const authenticate = createAccessMetrics(registry).authentication((asked: RawRequest) => {
    if (asked.headers.authorization === 'late') return Promise.resolve(user('ana@example.com'))
    if (asked.headers.authorization === 'good') return user('system:serviceaccount:kube-system:default')
    if (asked.headers.authorization === 'late no') return Promise.reject(unauthorized())
    throw unauthorized()
  })
  await authenticate(request('late'))
  await authenticate(request('good'))
  await authenticate(request('good'))
  await expect(authenticate(request('late no'))).rejects.toMatchObject({ code: 401 })
  expect(() => authenticate(request('bad'))).toThrow('Unauthorized')
  expect(() => authenticate(request())).toThrow('Unauthorized')
  const text = await registry.metrics()
  for (const line of [
    'authentication_attempts{result="success"} 3', 'authentication_attempts{result="error"} 2', 'authentication_attempts{result="failure"} 1',
    'authenticated_user_requests{username="email_id"} 1', 'authenticated_user_requests{username="system:serviceaccount:kube-system:default"} 2', 'authentication_duration_seconds_count{result="success"} 3',
  ]) expect(text).toContain(line)
  expect(text).not.toContain('ana')
})

it('counts what came of authorizing, and which authorizer decided', async () => {
  const registry = new Registry()
  const metrics = createAccessMetrics(registry)
  const outside: AuthorizationMode = { name: 'Webhook', label: 'ours', authorize: async ({ name }) => ({ opinion: name === 'eve' ? 'deny' : 'none', reason: '' }) }
  const { decide } = createAuthorizer([mastersMode, publicMode, outside], metrics.decided)
  const authorize = metrics.authorization(decide)
  await authorize(user('root', ['system:masters']), visit('/metrics'))
  await authorize(user('ana', ['system:authenticated']), visit('/version'))
  await authorize(user('eve'), visit('/metrics'))
  await authorize(user('ana'), visit('/metrics'))
  const text = await registry.metrics()
  for (const line of [
    'authorization_attempts_total{result="allowed"} 2', 'authorization_attempts_total{result="denied"} 1', 'authorization_attempts_total{result="no-opinion"} 1', 'authorization_duration_seconds_count{result="denied"} 1',
    'apiserver_authorization_decisions_total{type="RBAC",name="rbac",decision="allowed"} 1', 'apiserver_authorization_decisions_total{type="Webhook",name="ours",decision="denied"} 1',
  ]) expect(text).toContain(line)
  expect(text.match(/^apiserver_authorization_decisions_total/gm)).toHaveLength(2)
})
