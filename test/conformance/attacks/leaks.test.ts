/** Words that nobody may read are put wherever a credential or a secret stands; then everything that the server says of itself is searched for them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Logger } from '../../../src/machinery/log.ts'
import { attempt, attemptH2 } from '../../support/attackers.ts'
import { freePort, startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'

const dir = mkdtempSync(join(tmpdir(), 'skiff-leaks-'))
afterAll(() => rmSync(dir, { recursive: true }))
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text, { mode: 0o600 })
  return join(dir, name)
}
const base64 = (text: string) => Buffer.from(text).toString('base64')
/** Every word is there in the clear, in base64 at any offset, and in base64 of base64, as Secrets have it. */
const forms = (text: string): readonly string[] => {
  const at = (n: number) => base64('\0'.repeat(n) + text).slice(n === 0 ? 0 : n + 1, -4)
  return [text, at(0), at(1), at(2), base64(base64(text)).slice(0, -4)]
}
const word = 'Kanarienvogel'
const said: string[] = []
const lines = () => said.join('\n')

const kubeconfig = (name: string, port: number) => file(name, JSON.stringify({
  apiVersion: 'v1', kind: 'Config', 'current-context': 'c', clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}/hook`, 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'u', user: { token: `${word}-of-${name}` } }], contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
}))
const jwt = (claims: object) => [{ alg: 'RS256', kid: `${word}-kid`, typ: 'JWT' }, claims, 'signature'].map((part) => Buffer.from(typeof part === 'string' ? `${word}${part}` : JSON.stringify(part)).toString('base64url')).join('.')

let cluster: TestControlPlane
beforeAll(async () => {
  const hear = (level: string) => (fields: object, message = '') => void said.push(JSON.stringify([level, fields, message, fields instanceof Error ? fields.stack : undefined, ...Object.values(fields).map((value) => (value instanceof Error ? value.stack : undefined))]))
  const log: Logger = { debug: hear('debug'), info: hear('info'), warn: hear('warn'), error: hear('error'), child: () => log }
  const nobody = await freePort()
  cluster = await startTestControlPlane({
    log,
    apiServerArguments: {
      'token-auth-file': file('tokens.csv', `${word}-static,ana,1,"devs"\n`),
      'authentication-token-webhook-config-file': kubeconfig('authn', nobody),
      'authorization-mode': 'Node,RBAC,Webhook', 'authorization-webhook-config-file': kubeconfig('authz', nobody),
      'audit-policy-file': file('policy.yaml', 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: RequestResponse}]\n'), 'audit-log-path': join(dir, 'audit.log'),
      'audit-webhook-config-file': kubeconfig('audit', nobody), 'audit-webhook-batch-max-wait': '1s',
      'encryption-provider-config': file('encryption.yaml', `apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources: [{resources: [secrets], providers: [{aescbc: {keys: [{name: k, secret: ${base64(`${word}${'x'.repeat(32 - word.length)}`)}}]}}]}]\n`),
      'oidc-issuer-url': `https://127.0.0.1:${nobody}`, 'oidc-client-id': 'skiff',
      'enable-admission-plugins': 'ImagePolicyWebhook',
      'admission-control-config-file': file('admission.yaml', `apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins: [{name: ImagePolicyWebhook, configuration: {imagePolicy: {kubeConfigFile: ${kubeconfig('images', nobody)}, retryBackoff: 1}}}]\n`),
    },
  })
}, 60_000)
afterAll(() => cluster?.stop())

const api = '/api/v1/namespaces/default'
const secrets = `${api}/secrets`
const secret = (name: string, more: object = {}) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, annotations: {} }, data: { a: base64(`${word}-data`) }, stringData: { b: `${word}-text` }, ...more })

it('nothing that the server says of itself has a credential or a secret in it', async () => {
  const cert = cluster.pki.admin
  const as = (path: string, body?: object | string, more: object = {}) => attempt(cluster, path, { cert, ...(body === undefined ? {} : { body }), ...more })
  /** Answers to whoever may not know. */
  const answers: string[] = []
  const stranger = async (path: string, headers: string[], more: object = {}) => answers.push((await attempt(cluster, path, { headers, ...more })).text)
  expect((await as(secrets, secret('s'))).code).toBe(201)
  expect((await as(secrets, secret('s'))).code).toBe(409)
  for (const [path, contentType, body] of [
    [`${secrets}/s`, 'application/merge-patch+json', { stringData: { c: `${word}-merge` } }], [`${secrets}/s`, 'application/strategic-merge-patch+json', { stringData: { d: `${word}-strategic` } }],
    [`${secrets}/s`, 'application/json-patch+json', [{ op: 'add', path: '/data/e', value: base64(`${word}-json`) }]], [`${secrets}/t?fieldManager=m`, 'application/apply-patch+yaml', JSON.stringify(secret('t'))],
  ] as const) expect((await as(path, body, { method: 'PATCH', contentType })).code, contentType).toBeLessThan(300)
  // What is refused, at every stage, in every form.
  for (const body of [`{"kind":"Secret","apiVersion":"v1","data":{"a":"${word}!!"}}`, `{"kind":"Secret","data":${word}`, `kind: Secret\ndata: {a: ${word}`, JSON.stringify(secret('Bad_Name')), JSON.stringify(secret('u', { type: 'kubernetes.io/tls' })), JSON.stringify(secret('u', { data: { a: { b: word } } })), JSON.stringify(secret('u', { data: { 'bad key': base64(word) } }))]) {
    for (const contentType of ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']) await as(secrets, body, { contentType })
  }
  await as(secrets, JSON.stringify(secret('big', { stringData: { a: word.repeat(300_000) } })))
  await as('/api/v1/namespaces/nowhere/secrets', secret('s'))
  await as(`${secrets}/s`, { ...secret('s'), metadata: { name: 's', resourceVersion: '1' } }, { method: 'PUT' })
  await as(`${secrets}?watch=1&timeoutSeconds=1&resourceVersion=0`)
  // Credentials that hold, and that do not.
  await stranger('/api/v1/namespaces', ['authorization', `Bearer ${word}-static`])
  for (const headers of [
    ['authorization', `Bearer ${word}-wrong`], ['authorization', `Basic ${base64(`root:${word}`)}`], ['authorization', `Digest ${word}`], ['authorization', `Bearer ${word} two words`], ['cookie', `session=${word}`], ['proxy-authorization', `Bearer ${word}`],
    ['authorization', `Bearer ${jwt({ iss: 'https://kubernetes.default.svc.cluster.local', sub: word })}`], ['authorization', `Bearer ${jwt({ iss: 'https://127.0.0.1', sub: word })}`], ['authorization', `Bearer abcdef.${word.toLowerCase()}`],
    ['connection', 'Upgrade', 'upgrade', 'websocket', 'sec-websocket-version', '13', 'sec-websocket-key', 'x3JJHMbDL1EzLkh9GBhXDw==', 'sec-websocket-protocol', `base64url.bearer.authorization.k8s.io.${Buffer.from(word).toString('base64url')}, v4.channel.k8s.io`],
  ]) for (const path of ['/api/v1/namespaces', `${api}/pods/p/exec?command=id`, '/nowhere', '/apis/authentication.k8s.io/v1/selfsubjectreviews']) await stranger(path, headers)
  answers.push((await attemptH2(cluster, '/api/v1/namespaces', { authorization: `Bearer ${word}-h2`, cookie: word })).text)
  for (const token of [`${word}-reviewed`, jwt({ iss: 'x' })]) await as('/apis/authentication.k8s.io/v1/tokenreviews', { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } })
  await as(`${api}/serviceaccounts/default/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'gone' } } })
  const { json } = await as(`${api}/serviceaccounts/default/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} })
  const { token = '' } = (json as unknown as { status?: { token?: string } }).status ?? {}
  expect(token).toMatch(/^ey/)
  await stranger('/api/v1/namespaces', ['authorization', `Bearer ${token}`])
  await stranger('/api/v1/namespaces', ['authorization', `Bearer ${token.slice(0, -3)}abc`])
  // A webhook that is away, with what it would have been told; and a pod whose images nobody judges.
  await as('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', metadata: { name: 'w' }, webhooks: [{ name: 'w.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Fail', timeoutSeconds: 1, clientConfig: { url: 'https://127.0.0.1:1/hook' }, rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['secrets'] }] }] })
  await expect.poll(async () => (await as(secrets, secret('w'))).code).toBe(500)
  await as(`${api}/pods`, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'x', env: [{ name: 'PASSWORD', value: `${word}-of-a-pod-is-no-secret`.slice(word.length) }] }] } })
  await as('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/w', undefined, { method: 'DELETE' })

  const shown = await Promise.all([
    '/metrics', '/debug/api_priority_and_fairness/dump_requests?includeRequestDetails=1', '/debug/api_priority_and_fairness/dump_queues', '/debug/api_priority_and_fairness/dump_priority_levels', '/configz', '/statusz', '/flagz', '/logs/', '/debug/pprof/', '/debug/flags/v',
    '/api/v1/events', '/apis/events.k8s.io/v1/events', '/readyz?verbose', '/livez?verbose', '/api/v1/namespaces/kube-system/configmaps', '/api/v1/componentstatuses',
  ].map(async (path) => `${path}\n${(await as(path)).text}`))
  await expect.poll(() => lines()).toContain('audit')
  const audit = readFileSync(join(dir, 'audit.log'), 'utf8')
  expect(audit).toContain('"resource":"secrets"')
  // There is something to search, of everything that was done.
  for (const text of ['an authorization webhook could not be asked', '"request"', 'the image policy webhook could not be asked']) expect(lines()).toContain(text)
  for (const [name, text] of [['log', lines()], ['audit', audit], ['answers', answers.join('\n')], ...shown.map((one) => [one.split('\n', 1)[0], one] as const)] as const) {
    for (const form of [...forms(word), word.toLowerCase(), token, token.split('.')[2] ?? '']) {
      const at = text.indexOf(form)
      expect(at < 0 ? '' : text.slice(Math.max(0, at - 300), at + 80), `${name} has ${form}`).toBe('')
    }
  }
}, 60_000)

it('a file that cannot be read is named, and what is in it is not', async () => {
  const key = base64(word.repeat(3).slice(0, 30))
  const encryption = (keys: string) => file('bad', `apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - aesgcm:\n      keys: ${keys}\n`)
  const broken: [string, () => string][] = [
    ['encryption-provider-config', () => encryption(`[{name: k, secret: ${key}}]`)],
    ['encryption-provider-config', () => encryption(`[{name: k, secret: ${word}!!}]`)],
    ['encryption-provider-config', () => encryption(`[{name: k, secret: ${word}`)],
    ['encryption-provider-config', () => encryption(`[{name: k, secret: {${word}: 1}}]`)],
    ['encryption-provider-config', () => encryption(`{name: k, secret: ${word}: ${word}}`)],
    ['token-auth-file', () => file('bad', `${word}\n`)],
    ['token-auth-file', () => file('bad', `${word},"ana\n`)],
    ['authentication-token-webhook-config-file', () => file('bad', `users: [{name: u, user: {token: ${word}\n`)],
    ['authentication-token-webhook-config-file', () => file('bad', `apiVersion: v1\nkind: Config\ncurrent-context: c\nusers: [{name: u, user: {token: {a: ${word}}}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: "https://x"}}]\n`)],
    ['audit-webhook-config-file', () => file('bad', `{"users": [{"name": "u", "user": {"client-key-data": "${word}", "client-certificate-data": "${word}"}}], "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}], "current-context": "c", "clusters": [{"name": "c", "cluster": {"server": "https://x"}}]}`)],
    ['service-account-signing-key-file', () => file('bad', `-----BEGIN RSA PRIVATE KEY-----\n${base64(word)}\n-----END RSA PRIVATE KEY-----\n`)],
    ['service-account-key-file', () => file('bad', `${word}\n`)],
  ]
  for (const [i, [flag, write]] of broken.entries()) {
    const started = startTestControlPlane({ apiServerArguments: { [flag]: write(), ...(flag.startsWith('audit') ? { 'audit-policy-file': file('policy.yaml', 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n') } : {}) } })
    const message = await started.then(async (running) => (await running.stop(), 'it started'), (error: Error) => `${error.message}\n${error.stack}`)
    expect(message, `${i} ${flag}`).toContain(flag)
    for (const form of [word, key, base64(word).slice(0, -4)]) expect(message.includes(form) ? message : '', `${i} ${flag}`).toBe('')
  }
}, 60_000)
