import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import type { authentication } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { forbidden } from '../../machinery/errors.ts'
import type { AdmissionAttributes, AdmissionChain } from '../admission/admission.ts'
import type { Action } from '../authz/authorizer.ts'
import type { Identity } from '../identity.ts'
import type { VirtualCall } from '../options.ts'
import { environment, type Loose, type TestEnvironment } from '../testing/environment.ts'
import { createAudienceCheck } from './node-audiences.ts'
import { tokenRequest } from './token-requests.ts'
import { createTokens } from './tokens.ts'

const issuer = 'https://kubernetes.default.svc'
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const account: Loose = { kind: 'ServiceAccount', metadata: { name: 'app', namespace: 'x', uid: 'account-uid' } as never }
const podWith = (...volumes: object[]): Loose => ({ kind: 'Pod', metadata: { name: 'p', namespace: 'x', uid: 'pod-uid' } as never, spec: { serviceAccountName: 'app', nodeName: 'n1', volumes } })
const toPod = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'pod-uid' }
const n1: Identity = { name: 'system:node:n1', groups: ['system:nodes'] }

let env: TestEnvironment
let asked: Action[]
let granted: string | undefined
let chain: AdmissionChain
beforeEach(() => {
  env = environment(account, podWith())
  asked = []
  granted = undefined
  chain = { mutate: ({ object }) => object, validate: () => undefined }
})

type Answer = authentication.TokenRequest
async function ask(spec: object = {}, { user = { name: 'ana', groups: [] }, metadata = {}, name = 'app' }: { readonly user?: Identity; readonly metadata?: object; readonly name?: string } = {}): Promise<Answer> {
  const checkAudiences = createAudienceCheck(env, { decide: (_, action) => (asked.push(action), { opinion: action.resource === granted ? 'allow' : 'none', reason: '' }) })
  const resource = tokenRequest(env, { tokens: createTokens({ signingKey: key, issuer }, env.clock), checkAudiences, admission: chain })
  const call = { user, verb: 'create', subresource: 'token', namespace: 'x', name, dryRun: false, now: env.clock.now(), warn: () => undefined, annotate: () => undefined } as unknown as VirtualCall
  const body = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata, spec: { audiences: [], ...spec } }
  return (await resource.create!(body as unknown as ApiObject, call)) as unknown as Answer
}
const claimsOf = ({ status }: Answer) => decodeJwt(status.token)['kubernetes.io'] as object

describe('a request for a token', () => {
  it('comes before admission: first as it was made, then complete, and before anything is signed', async () => {
    const seen: AdmissionAttributes[] = []
    chain = { mutate: (a) => (seen.push(a), a.object), validate: (a) => void seen.push(a) }
    await ask()
    expect(seen).toMatchObject([
      { operation: 'CREATE', subresource: 'token', namespace: 'x', name: 'app', resource: { plural: 'serviceaccounts' }, type: { name: 'TokenRequest' }, object: { metadata: {}, spec: { audiences: [], expirationSeconds: 3600 } } },
      { operation: 'CREATE', subresource: 'token', object: { metadata: { name: 'app', namespace: 'x', uid: 'account-uid' }, spec: { audiences: [issuer], expirationSeconds: 3600 }, status: { token: '' } }, context: { user: { name: 'ana' } } },
    ])
    chain = { mutate: ({ object }) => ({ ...object!, spec: { audiences: ['vault'], expirationSeconds: 600 } }) as ApiObject, validate: () => undefined }
    expect(decodeJwt((await ask()).status.token)).toMatchObject({ aud: ['vault'] })
    chain = { mutate: ({ object }) => object, validate: () => { throw forbidden({ group: '', plural: 'serviceaccounts' }, 'app', 'no') } }
    await expect(ask()).rejects.toMatchObject({ code: 403 })
  })

  it('says the uid of the account, and may be for one that is going', async () => {
    expect((await ask()).metadata).toEqual({ name: 'app', namespace: 'x', uid: 'account-uid', creationTimestamp: '2026-01-01T00:00:00Z' })
    env.objects[0] = { ...account, metadata: { ...account.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } as never }
    expect((await ask()).status.token).toContain('.')
  })

  it('names what it is bound to by group and kind; the version does not matter', async () => {
    for (const apiVersion of ['v1', '', undefined]) expect(claimsOf(await ask({ boundObjectRef: { ...toPod, apiVersion } }))).toMatchObject({ pod: { name: 'p', uid: 'pod-uid' }, node: { name: 'n1' } })
    await expect(ask({ boundObjectRef: { ...toPod, apiVersion: 'apps/v1' } })).rejects.toMatchObject({ code: 400, message: 'cannot bind token to object of type apps/v1, Kind=Pod' })
    await expect(ask({ boundObjectRef: { ...toPod, uid: 'old' } })).rejects.toMatchObject({ code: 409, message: 'Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated' })
    env.objects.push({ ...account, metadata: { ...account.metadata, name: 'other' } })
    await expect(ask({ boundObjectRef: { ...toPod, uid: 'old' } }, { name: 'other' })).rejects.toMatchObject({ code: 400, message: 'cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.' })
  })

  it('is refused for its place before its account is looked for', async () => {
    await expect(ask({}, { name: 'none', metadata: { name: 'app' } })).rejects.toMatchObject({ code: 422 })
    await expect(ask({}, { name: 'none' })).rejects.toMatchObject({ code: 404 })
    await expect(ask({ expirationSeconds: 1 }, { metadata: { uid: 'old' } })).rejects.toMatchObject({ code: 409 })
  })
})

describe('a request of a node', () => {
  const bound = (audiences: string[], more: object = {}) => ask({ audiences, boundObjectRef: { ...toPod, ...more } }, { user: n1 })
  const run = (...volumes: object[]) => { env.objects[1] = podWith(...volumes) }
  const projected = (audience?: string) => ({ name: 't', projected: { sources: [{ serviceAccountToken: { path: 't', ...(audience === undefined ? {} : { audience }) } }] } })

  it('is for a pod of the core group by its uid', async () => {
    run(projected())
    await expect(bound([])).resolves.toBeDefined()
    await expect(bound([], { apiVersion: '' })).rejects.toMatchObject({ message: 'serviceaccounts "app" is forbidden: node requested token not bound to a pod' })
    await expect(bound([], { uid: 'old' })).rejects.toMatchObject({ code: 403, message: expect.stringContaining('the UID in the bound object reference (old) does not match the UID in record') as string })
    await expect(bound([], { name: 'none' })).rejects.toMatchObject({ code: 404, message: 'pods "none" not found' })
  })

  it('is for this server only where the pod has such a token, or the node was given the right', async () => {
    await expect(bound([])).rejects.toMatchObject({ code: 403, message: expect.stringContaining('audience "" not found in pod spec volume, system:node:n1 is not authorized') as string })
    run(projected('vault'))
    await expect(bound([''])).rejects.toMatchObject({ code: 403 })
    expect(asked[0]).toMatchObject({ verb: 'request-serviceaccounts-token-audience', group: '', version: 'v1', namespace: 'x', resource: '', name: 'app' })
    granted = ''
    await expect(bound([])).resolves.toBeDefined()
  })

  it('is for whom a driver of a volume wants tokens, and for nobody while it cannot be found out', async () => {
    granted = 'cloud'
    run({ name: 'c', csi: { driver: 'd' } })
    await expect(bound(['cloud'])).rejects.toMatchObject({ code: 403, message: expect.stringContaining('error validating audience "cloud": csidriver.storage.k8s.io "d" not found') as string })
    run({ name: 'c', persistentVolumeClaim: { claimName: 'data' } }, { name: 'c', persistentVolumeClaim: { claimName: 'more' } })
    await expect(bound(['cloud'])).rejects.toMatchObject({ message: expect.stringContaining('[persistentvolumeclaim "data" not found, persistentvolumeclaim "more" not found]') as string })
    env.objects.push({ kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace: 'x' }, spec: { volumeName: 'disk' } }, { kind: 'PersistentVolume', metadata: { name: 'disk' }, spec: { azureFile: {} } })
    env.objects.push({ kind: 'CSIDriver', metadata: { name: 'file.csi.azure.com' }, spec: { tokenRequests: [{ audience: 'files' }] } })
    await expect(bound(['files'])).resolves.toBeDefined()
    run({ name: 'c', azureFile: {} })
    await expect(bound(['files'])).resolves.toBeDefined()
    run({ name: 'e', ephemeral: { volumeClaimTemplate: {} } })
    await expect(bound(['files'])).rejects.toMatchObject({ message: expect.stringContaining('persistentvolumeclaim "p-e" not found') as string })
  })
})
