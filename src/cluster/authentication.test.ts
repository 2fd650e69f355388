import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FakeClock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import { parseArguments } from './apiserver-arguments.ts'
import { authenticationOf } from './authentication.ts'
import { authorizationOf } from './authorization.ts'
import { ensurePki, type Pki } from './pki.ts'
import { watchFile } from './watched-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'skiff-authentication-'))
let pki: Pki
beforeAll(async () => {
  pki = ensurePki(join(dir, 'pki'), { name: 's', nodeName: 'n', nodeAddress: '127.0.0.1', port: 1, kubeletPort: 2, clusterCidr: '10.1.0.0/16', serviceCidr: '10.2.0.0/16', clusterDns: '10.2.0.10', clusterDomain: 'cluster.local', nodePorts: [1, 2] })
})
afterAll(() => rmSync(dir, { recursive: true }))

const env = { clock: new FakeClock(), log: quiet }
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}
const authentication = (...flags: string[]) => authenticationOf(parseArguments(flags), { clientCa: pki.ca.cert, serviceAccountKey: pki.serviceAccountKey, issuer: 'https://kubernetes.default.svc' }, env)
const authorization = (...flags: string[]) => authorizationOf(parseArguments(flags), env)

describe('the flags of authentication', () => {
  it('that are not given leave certificates and the cluster\'s own tokens', async () => {
    const { options, clientCa, serviceAccounts } = await authentication()
    expect(clientCa).toBe(pki.ca.cert)
    expect(options).toMatchObject({ tokens: undefined, issuers: undefined, webhook: undefined, requestHeader: undefined, clientCa: undefined })
    expect(options.anonymous?.()).toBeUndefined()
    expect(serviceAccounts).toMatchObject({ signingKey: pki.serviceAccountKey, issuer: 'https://kubernetes.default.svc', extend: true })
  })

  it('say who else comes in', async () => {
    const { options, clientCa } = await authentication(
      `token-auth-file=${file('tokens', 's3cret,ana,1,"devs"')}`, `requestheader-client-ca-file=${file('proxy.crt', pki.frontProxyCa.cert)}`, 'requestheader-allowed-names=front', 'anonymous-auth=false',
      'oidc-issuer-url=https://issuer.example', 'oidc-client-id=skiff', 'oidc-groups-claim=groups', 'oidc-required-claim=hd=example.com',
    )
    expect(options.tokens?.('s3cret')).toMatchObject({ name: 'ana' })
    expect(options.requestHeader).toMatchObject({ allowedNames: ['front'], usernameHeaders: ['x-remote-user'] })
    expect(clientCa).toContain(pki.frontProxyCa.cert.trim())
    expect(options.clientCa).not.toContain(pki.frontProxyCa.cert.trim())
    expect(options.anonymous?.()).toEqual({ enabled: false })
    expect(options.issuers?.({ ...env, audiences: ['x'] })()).toHaveLength(1)
  })

  it('let nobody in without a credential where everybody may do everything, unless the file of authentication says so', async () => {
    const open = (...flags: string[]) => authenticationOf(parseArguments(flags), { clientCa: pki.ca.cert, serviceAccountKey: pki.serviceAccountKey, issuer: 'https://kubernetes.default.svc' }, { ...env, allowsAll: () => true })
    for (const flags of [[], ['anonymous-auth=true'], ['anonymous-auth=false']]) expect((await open(...flags)).options.anonymous?.()).toEqual({ enabled: false })
    const config = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\nanonymous: {enabled: true, conditions: [{path: /livez}]}'
    expect((await open(`authentication-config=${file('anonymous.yaml', config)}`)).options.anonymous?.()).toMatchObject({ enabled: true })
  })

  it('say of requests without credentials what they said at first, whatever the file says later', async () => {
    const config = (anonymous: string) => file('fixed.yaml', `apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n${anonymous}`)
    const clock = new FakeClock()
    const settings = await authenticationOf(parseArguments([`authentication-config=${config('anonymous: {enabled: false}')}`]), { clientCa: pki.ca.cert, serviceAccountKey: pki.serviceAccountKey, issuer: 'https://kubernetes.default.svc' }, { clock, log: quiet })
    for (const later of ['anonymous: {enabled: true}', '']) {
      config(later)
      await clock.advance(5000)
      expect(settings.options.anonymous?.()).toEqual({ enabled: false })
    }
    expect(settings.reloads?.()).toMatchObject({ success: 0, failure: 2 })
    settings.stop()
  })

  it('take further keys and former issuers of service account tokens', async () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const { serviceAccounts } = await authentication(`service-account-signing-key-file=${file('new.key', key)}`, 'service-account-issuer=https://new.example,https://old.example', `service-account-key-file=${file('a.key', key)},${file('b.key', key)}`, 'service-account-max-token-expiration=2h')
    expect(serviceAccounts).toMatchObject({ signingKey: key, issuer: 'https://new.example', otherIssuers: ['https://old.example'], longest: 7200 })
    expect(serviceAccounts.verificationKeys).toEqual([key.trim(), key.trim(), pki.serviceAccountKey])
    const several = await authentication(`service-account-key-file=${file('several.key', `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${key}${pki.serviceAccountKey}`)}`)
    expect(several.serviceAccounts.verificationKeys).toEqual([key.trim(), pki.serviceAccountKey.trim(), pki.serviceAccountKey])
  })

  it('that make no sense stop the boot with one sentence', async () => {
    await expect(authentication(`token-auth-file=${file('bad', 'a,b')}`)).rejects.toThrow('line 1: it must have at least 3 columns')
    await expect(authentication('oidc-issuer-url=http://issuer.example', 'oidc-client-id=x')).rejects.toThrow('oidc-issuer-url: Invalid value: "http://issuer.example": URL scheme must be https')
    await expect(authentication('oidc-client-id=x')).rejects.toThrow('must be given together')
    await expect(authentication('oidc-issuer-url=https://kubernetes.default.svc', 'oidc-client-id=x')).rejects.toThrow('must not overlap')
    await expect(authentication('requestheader-username-headers=X-User')).rejects.toThrow('requestheader-client-ca-file is needed')
    await expect(authentication(`requestheader-client-ca-file=${file('same.crt', pki.ca.cert)}`)).rejects.toThrow('requestheader-allowed-names must be given')
    await expect(authentication(`requestheader-client-ca-file=${file('same.crt', pki.ca.cert)}`, 'requestheader-allowed-names=front')).resolves.toBeDefined()
    await expect(authentication(`requestheader-client-ca-file=${file('front.crt', pki.frontProxyCa.cert)}`, 'requestheader-allowed-names=')).resolves.toMatchObject({ options: { requestHeader: { allowedNames: [] } } })
    for (const names of [',', 'front, ']) await expect(authentication(`requestheader-client-ca-file=${file('front.crt', pki.frontProxyCa.cert)}`, `requestheader-allowed-names=${names}`)).rejects.toThrow('requestheader-allowed-names: empty value')
    await expect(authentication('service-account-issuer=https://a.example,https://b.example,https://a.example')).rejects.toThrow('"https://a.example" is already specified')
    await expect(authentication(`client-ca-file=${file('none.crt', 'no certificate')}`)).rejects.toThrow('client-ca-file: it contains no certificate')
    await expect(authentication(`authentication-config=${file('config.yaml', 'kind: Wrong')}`)).rejects.toThrow('authentication-config:')
    await expect(authentication('service-account-max-token-expiration=10m')).rejects.toThrow('between 1 hour')
    const none = file('none.key', 'no key')
    await expect(authentication(`service-account-key-file=${none}`)).rejects.toThrow(`service-account-key-file: ${none}: it contains no public or private key that can be read`)
    await expect(authentication(`service-account-signing-key-file=${none}`)).rejects.toThrow(`service-account-signing-key-file: ${none}: it contains no private key that can be read`)
    const curve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    await expect(authentication(`service-account-signing-key-file=${file('k256.key', curve)}`)).rejects.toThrow('service account keys are RSA keys, or elliptic curve keys on P-256, P-384 or P-521')
  })
})

describe('the flags of authorization', () => {
  it('name the authorizers in their order', async () => {
    expect(await authorization()).toBeUndefined()
    expect((await authorization('authorization-mode=RBAC,AlwaysDeny'))?.options.modes()).toEqual(['RBAC', 'AlwaysDeny'])
    const config = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\nauthorizers: [{type: RBAC, name: rbac}, {type: Node, name: node}]'
    expect((await authorization(`authorization-config=${file('authz.yaml', config)}`))?.options.modes()).toEqual(['RBAC', 'Node'])
  })
  it('that make no sense stop the boot with one sentence', async () => {
    await expect(authorization('authorization-mode=ABAC')).rejects.toThrow('"ABAC" is not one of Node, RBAC, AlwaysAllow, AlwaysDeny, Webhook')
    await expect(authorization('authorization-mode=Webhook')).rejects.toThrow('must be given together')
    await expect(authorization('authorization-mode=RBAC', `authorization-config=${file('x', '')}`)).rejects.toThrow('cannot be combined with authorization-mode')
  })
})

it('a watched file counts as soon as it is changed, unless it cannot be read', async () => {
  const clock = new FakeClock()
  const watched = await watchFile('x', file('w', '1'), (text) => {
    if (Number.isNaN(Number(text))) throw new Error('no number')
    return Number(text)
  }, { clock, log: quiet })
  file('w', '22')
  await clock.advance(5000)
  expect(watched.current()).toBe(22)
  file('w', 'three')
  await clock.advance(5000)
  expect(watched.current()).toBe(22)
  file('w', '4444')
  await clock.advance(5000)
  expect(watched.current()).toBe(4444)
  watched.stop()
})
