import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { request } from 'node:https'
import { X509CertificateGenerator, cryptoProvider } from '@peculiar/x509'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Client } from '../../client/index.ts'
import { FakeClock } from '../../machinery/clock.ts'
import type { Component } from '../../machinery/log.ts'
import { quiet } from '../../machinery/log.ts'
import type { NodeContext } from '../context.ts'
import type { PodWorker } from '../pods/worker.ts'
import { startServer } from './server.ts'

cryptoProvider.set(webcrypto as never)

async function serving(): Promise<{ readonly key: string; readonly cert: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const cert = await X509CertificateGenerator.createSelfSigned({ name: 'CN=node', keys: keys as never, signingAlgorithm: algorithm, notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 3_600_000) })
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64').replace(/.{64}/g, '$&\n')
  return { key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`, cert: cert.toString('pem') }
}

/** Whose token is their name; a looker may get everything, a lost one asks while nobody answers. */
const client = {
  create: async (_: unknown, { spec }: { readonly spec: { readonly token?: string; readonly user?: string; readonly resourceAttributes?: { readonly verb: string } } }) => {
    if (spec.token === 'lost' || spec.user === 'puzzled') throw new Error('nobody answers')
    if (spec.token !== undefined) return { status: { authenticated: true, user: { username: spec.token } } }
    return { status: { allowed: spec.user === 'admin' || (spec.user === 'looker' && spec.resourceAttributes?.verb === 'get') } }
  },
} as unknown as Client

const named = (uid: string) => [uid, { pod: { metadata: { name: 'web', namespace: 'default', uid }, spec: { containers: [{ name: uid }] } }, current: () => ({ metadata: { name: 'web', uid }, status: {} }) } as unknown as PodWorker] as const
let server: Component & { readonly port: number }
beforeAll(async () => {
  const { key, cert } = await serving()
  const context = { client, clock: new FakeClock(), log: quiet, nodeName: 'n1', runtime: { listSandboxes: async () => [], listContainers: async () => [] }, clusterDns: [], clusterDomain: 'x', directories: { data: '/nowhere', logs: '/nowhere', memory: '' } } as unknown as NodeContext
  server = await startServer({ context, workers: new Map([named('old'), named('new')]), prober: { metrics: async () => ({ type: 'text/plain', text: '' }) }, addresses: ['127.0.0.1'], port: 0, maxPods: 1, tls: { key, cert, clientCa: cert } })
})
afterAll(() => server.stop())

/** Code and text of an answer, and the methods it names. */
function ask(method: string, path: string, token?: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const sent = request({ host: '127.0.0.1', port: server.port, method, path, rejectUnauthorized: false, headers: token ? { authorization: `Bearer ${token}` } : {} }, (answer) => {
    const chunks: Buffer[] = []
    answer.on('data', (chunk: Buffer) => chunks.push(chunk))
    answer.on('end', () => resolve([answer.statusCode, answer.headers.allow, Buffer.concat(chunks).toString()].filter(Boolean).join(' ')))
  })
  sent.on('error', reject)
  sent.end()
  return promise
}

it('lets in whom the API server knows and allows, and says what is missing', async () => {
  expect(await ask('GET', '/healthz', 'looker')).toBe('200 ok')
  expect(await ask('GET', '/healthz')).toBe('401 Unauthorized')
  expect(await ask('GET', '/healthz', 'stranger')).toBe('403 Forbidden (user=stranger, verb=get, resource=nodes, subresource(s)=[healthz proxy])\n')
  expect(await ask('POST', '/run/default/web/new', 'looker')).toBe('403 Forbidden (user=looker, verb=create, resource=nodes, subresource(s)=[proxy])\n')
})

it('lets nobody in while the API server does not answer', async () => {
  expect(await ask('GET', '/healthz', 'lost')).toBe('401 Unauthorized')
  expect(await ask('GET', '/stats/summary', 'puzzled')).toBe('500 Authorization error (user=puzzled, verb=get, resource=nodes, subresource=stats)')
})

it('only shows what is only to be read', async () => {
  for (const path of ['/pods', '/runningpods/', '/stats/summary', '/containerLogs/default/web/new']) expect(await ask('POST', path, 'admin'), path).toBe('405 GET Method Not Allowed')
  expect(await ask('GET', '/pods', 'looker')).toMatch(/^200 \{"kind":"PodList"/)
})

it('means the later of two pods of one name', async () => {
  expect(await ask('GET', '/containerLogs/default/web/old', 'looker')).toBe('404 container "old" not found in pod "web"')
  expect(await ask('GET', '/containerLogs/default/web/new', 'looker')).toMatch(/^400 container "new" in pod "web" is not available/)
})
