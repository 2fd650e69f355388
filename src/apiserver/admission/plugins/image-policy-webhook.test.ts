import { describe, expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import { FakeClock } from '../../../machinery/clock.ts'
import { isApiError } from '../../../machinery/errors.ts'
import { quiet } from '../../../machinery/log.ts'
import { RemoteError } from '../../remote.ts'
import { attributesOf, type Wanted } from '../../testing/environment.ts'
import { imagePolicyWebhook, parseImagePolicy } from './image-policy-webhook.ts'

interface Review { readonly apiVersion: string; readonly kind: string; readonly spec: { readonly containers?: readonly { image?: string }[]; readonly annotations?: object; readonly namespace?: string } }

function start(answer: (review: Review) => object | Error, more = '') {
  const clock = new FakeClock()
  const asked: Review[] = []
  const plugin = imagePolicyWebhook({ clock, log: quiet }, parseImagePolicy(`imagePolicy: {kubeConfigFile: /k, retryBackoff: 1${more}}`), async (body) => {
    asked.push(body as Review)
    const status = answer(body as Review)
    if (status instanceof Error) throw status
    return { ...body, status }
  })
  const admit = async (image: string, wanted: Wanted = {}, annotations = {}) => {
    const attributes = attributesOf(core.pods, { kind: 'Pod', metadata: { name: 'p', namespace: 'x', annotations } as never, spec: { containers: [{ image }], initContainers: [{ image: 'init' }], ephemeralContainers: [{ image: 'debug' }] } }, wanted)
    if (!plugin.handles(attributes)) return { verdict: 'not asked', annotations: attributes.annotations }
    let verdict = 'admitted'
    const judged = (async () => plugin.validate?.(attributes))().catch((error: unknown) => (verdict = isApiError(error) ? `${error.code} ${error.message}` : String(error)))
    for (let i = 0; i < 8; i++) await clock.advance(100)
    await judged
    return { verdict, annotations: attributes.annotations }
  }
  return { asked, clock, admit }
}

describe('ImagePolicyWebhook', () => {
  it('asks about the images of a pod, and tells the server what annotations are meant for it', async () => {
    const { asked, admit } = start(() => ({ allowed: true }))
    expect((await admit('good', {}, { 'mine.image-policy.k8s.io/break-glass': 'ticket', other: 'x' })).verdict).toBe('admitted')
    expect(asked).toEqual([expect.objectContaining({ apiVersion: 'imagepolicy.k8s.io/v1alpha1', kind: 'ImageReview', spec: { containers: [{ image: 'good' }, { image: 'init' }], annotations: { 'mine.image-policy.k8s.io/break-glass': 'ticket' }, namespace: 'x' } })])
    await admit('good', { operation: 'UPDATE', subresource: 'ephemeralcontainers' })
    expect(asked[1]?.spec.containers).toEqual([{ image: 'debug' }])
    for (const subresource of ['status', 'binding']) expect((await admit('good', { subresource })).verdict).toBe('not asked')
    expect((await admit('good', { operation: 'DELETE' })).verdict).toBe('not asked')
  })

  it('refuses what the server refuses, in its words, and tells audit what it says', async () => {
    const { admit } = start(({ spec }) => (spec.containers?.[0]?.image === 'bad' ? { allowed: false, reason: 'old', auditAnnotations: { why: 'age' } } : { allowed: 'yes' }))
    expect(await admit('bad')).toEqual({ verdict: '403 pods "p" is forbidden: image policy webhook backend denied one or more images: old', annotations: { 'imagepolicywebhook.image-policy.k8s.io/why': 'age' } })
    // What is no boolean is no permission.
    expect((await admit('odd')).verdict).toBe('403 pods "p" is forbidden: one or more images rejected by webhook backend')
  })

  it('remembers what was said for a while', async () => {
    const { asked, clock, admit } = start(({ spec }) => ({ allowed: spec.containers?.[0]?.image === 'good' }), ', allowTTL: 60, denyTTL: 10')
    for (let i = 0; i < 2; i++) for (const image of ['good', 'bad']) await admit(image)
    expect(asked).toHaveLength(2)
    await clock.advance(11_000)
    for (const image of ['good', 'bad']) await admit(image)
    expect(asked).toHaveLength(3)
    await clock.advance(60_000)
    await admit('good')
    expect(asked).toHaveLength(4)
  })

  it('keeps pods out when it cannot be asked, unless it was told to let them in', async () => {
    const closed = start(() => new RemoteError(503, 'https://images answered 503'))
    expect((await closed.admit('good')).verdict).toBe('403 pods "p" is forbidden: https://images answered 503')
    expect(closed.asked).toHaveLength(5)
    const open = start(() => new Error('no route'), ', defaultAllow: true')
    expect(await open.admit('good')).toEqual({ verdict: 'admitted', annotations: { 'imagepolicywebhook.image-policy.k8s.io/failed-open': 'true' } })
  })
})

it('its configuration has times with bounds', () => {
  expect(parseImagePolicy('imagePolicy: {kubeConfigFile: /k}')).toEqual({ kubeConfigFile: '/k', allowTtl: 300_000, denyTtl: 30_000, retryBackoff: 500, defaultAllow: false })
  expect(parseImagePolicy('{"imagePolicy": {"kubeConfigFile": "/k", "allowTTL": -1, "denyTTL": 1800, "retryBackoff": 300000, "defaultAllow": true}}')).toMatchObject({ allowTtl: 0, denyTtl: 1_800_000, retryBackoff: 300_000, defaultAllow: true })
  for (const [text, message] of [['{}', 'imagePolicy: Required value'], ['imagePolicy: {}', 'imagePolicy.kubeConfigFile: Required value'], ['imagePolicy: {kubeConfigFile: /k, allowTTL: 1801}', 'valid value is between'], ['imagePolicy: {kubeConfigFile: /k, ttl: 1}', 'imagePolicy.ttl: unknown field']] as const) {
    expect(() => parseImagePolicy(text)).toThrow(message)
  }
})
