import { text } from 'node:stream/consumers'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import { parseUsers } from '../../../client/kubeconfig.ts'
import { selfSigned, startServer, type TestServer } from '../../authn/testing.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import { attributesOf, environment, type Loose } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { webhooks } from '../plugins/webhooks.ts'
import { credentialsOf, parseWebhookAdmission, type WebhookCredential } from './credentials.ts'

const users = (...names: string[]) => new Map(names.map((name): [string, WebhookCredential] => [name, { token: name }]))
const shown = (all: ReadonlyMap<string, WebhookCredential>, host: string, port = 443, otherwise?: WebhookCredential) => credentialsOf(all, otherwise)(host, port)?.token

describe('who this server is for a webhook', () => {
  it('is the user of its name, of the nearest domain above it, or of all', () => {
    const all = users('hook.tools.svc', '*.tools.svc', '*.svc', 'www.example.com:8443', '*')
    expect(shown(all, 'hook.tools.svc')).toBe('hook.tools.svc')
    expect(shown(all, 'other.tools.svc')).toBe('*.tools.svc')
    expect(shown(all, 'a.b.svc')).toBe('*.svc')
    expect(shown(all, 'www.example.com', 8443)).toBe('www.example.com:8443')
    expect(shown(all, 'www.example.com')).toBe('*')
  })

  it('goes by the port where that is not the usual one', () => {
    const all = users('hook.tools.svc', '*.other.svc:8443')
    expect(shown(all, 'hook.tools.svc', 8443)).toBeUndefined()
    expect(shown(all, 'a.other.svc', 8443)).toBe('*.other.svc:8443')
    expect(shown(all, 'a.other.svc')).toBeUndefined()
    expect(shown(users('hook.tools.svc:443'), 'hook.tools.svc')).toBe('hook.tools.svc:443')
  })

  it('is the one of the current context where there is nobody else, or nobody', () => {
    expect(shown(users('a'), 'b', 443, { token: 'current' })).toBe('current')
    expect(shown(users('a'), 'b')).toBeUndefined()
  })
})

describe('over the wire', () => {
  let server: TestServer
  let seen: { readonly authorization: string | undefined; readonly certificate: string | undefined }[]
  const dir = mkdtempSync(join(tmpdir(), 'skiff-webhooks-'))
  beforeAll(async () => {
    server = await startServer(async (request, response) => {
      seen.push({ authorization: request.headers.authorization, certificate: (request.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256 })
      const { request: { uid } } = JSON.parse(await text(request)) as { request: { uid: string } }
      response.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: { uid, allowed: true } }))
    })
  })
  beforeEach(() => { seen = [] })
  afterAll(async () => {
    await server.close()
    rmSync(dir, { recursive: true })
  })

  it('is shown by token or certificate to the webhook that it is for, and to no other', async () => {
    const own = await selfSigned()
    const { host, port } = new URL(server.url)
    writeFileSync(join(dir, 'token'), 'from-a-file\n')
    const read = (name: string, user: object) => parseUsers(JSON.stringify({ users: [{ name, user }] }), dir)
    const data = (pem: string) => Buffer.from(pem).toString('base64')
    const hook = (kind: 'Mutating' | 'Validating', at: string): Loose => ({ kind: `${kind}WebhookConfiguration`, metadata: { name: 'c' }, webhooks: [{ name: 'check.example.com', sideEffects: 'None', admissionReviewVersions: ['v1'], failurePolicy: 'Fail', clientConfig: { url: `${at}/hook`, caBundle: data(server.ca) }, rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }] }] })
    const mutating = credentialsOf((await read(host, { tokenFile: 'token' })).users)
    const validating = credentialsOf((await read(host, { 'client-certificate-data': data(own.cert), 'client-key-data': data(own.key) })).users)
    const map: Loose = { kind: 'ConfigMap', metadata: { name: 'm', namespace: 'x' } }
    const ask = async (at: string) => {
      const made = webhooks(environment(hook('Mutating', at), hook('Validating', at)), { decide: () => ({ opinion: 'none', reason: '' }) } as unknown as Authorizer, undefined, undefined, { mutating, validating })
      const chain = createAdmissionChain([made.mutating, made.validating])
      await chain.mutate(attributesOf(core.configmaps, map))
      await chain.validate(attributesOf(core.configmaps, map))
    }
    await ask(server.url)
    expect(seen).toEqual([{ authorization: 'Bearer from-a-file', certificate: undefined }, { authorization: undefined, certificate: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/) as string }])
    seen = []
    await ask(`https://localhost:${port}`)
    expect(seen).toEqual([{ authorization: undefined, certificate: undefined }, { authorization: undefined, certificate: undefined }])
  })
})

it('its configuration names a kubeconfig', () => {
  expect(parseWebhookAdmission('apiVersion: apiserver.config.k8s.io/v1\nkind: WebhookAdmissionConfiguration\nkubeConfigFile: /k')).toBe('/k')
  expect(parseWebhookAdmission('apiVersion: apiserver.config.k8s.io/v1alpha1\nkind: WebhookAdmission\nkubeConfigFile: /k')).toBe('/k')
  expect(parseWebhookAdmission('apiVersion: apiserver.config.k8s.io/v1\nkind: WebhookAdmissionConfiguration')).toBeUndefined()
  expect(() => parseWebhookAdmission('apiVersion: apiserver.config.k8s.io/v1\nkind: WebhookAdmission')).toThrow('WebhookAdmissionConfiguration')
})
