import { afterEach, beforeEach, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { createBench, settle, type Bench } from '../testing/bench.ts'
import { startTokenCleaner } from './secret-tokens.ts'

const day = 24 * 3_600_000
let bench: Bench
beforeEach(() => { bench = createBench() })
afterEach(() => bench.stop())

const account = (...secrets: string[]) => bench.client.create(core.serviceaccounts, { metadata: { name: 'app', namespace: 'x' }, secrets: secrets.map((name) => ({ name })) })
const secret = (name: string, labels: Record<string, string> = {}) =>
  bench.client.create(core.secrets, { metadata: { name, namespace: 'x', labels, annotations: { 'kubernetes.io/service-account.name': 'app' } }, type: 'kubernetes.io/service-account-token' })
const track = (since: string) => bench.client.create(core.configmaps, { metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' }, data: { since } })
const left = () => Object.fromEntries([...bench.client.stored(core.secrets).values()].map(({ metadata: { name, labels } }) => [name, labels?.['kubernetes.io/legacy-token-invalid-since'] ?? '']))
const days = async (count: number) => { for (let i = 0; i < count; i++) await bench.clock.advance(day); await settle() }

it('marks what nobody used for a year, and removes it after another', async () => {
  await track('2026-01-01')
  await account('old', 'used', 'mounted')
  for (const name of ['old', 'made-by-hand', 'mounted']) await secret(name)
  await secret('used', { 'kubernetes.io/legacy-token-last-used': '2026-12-24' })
  await bench.client.create(core.pods, { metadata: { name: 'p', namespace: 'x' }, spec: { containers: [], volumes: [{ name: 'v', secret: { secretName: 'mounted' } }] } })
  await bench.start(startTokenCleaner)
  await days(360)
  expect(left()).toEqual({ old: '', used: '', mounted: '', 'made-by-hand': '' })
  await days(8)
  expect(left()).toEqual({ old: '2027-01-02', used: '', mounted: '', 'made-by-hand': '' })
  await days(362)
  expect(Object.keys(left())).toContain('old')
  await days(8)
  expect(Object.keys(left()).toSorted()).toEqual(['made-by-hand', 'mounted', 'used'])
})

it('leaves what a pod uses in any way, what was used on a day that cannot be read or a year ago, and what is of another account of that name', async () => {
  await track('2025-12-30')
  const names = ['variable', 'variables', 'pull', 'projected', 'driver', 'share', 'unreadable', 'last-year', 'other']
  await account(...names)
  for (const name of names.slice(0, 6)) await secret(name)
  await secret('unreadable', { 'kubernetes.io/legacy-token-last-used': 'soon' })
  await secret('last-year', { 'kubernetes.io/legacy-token-last-used': '2026-01-02' })
  await bench.client.create(core.secrets, { metadata: { name: 'other', namespace: 'x', annotations: { 'kubernetes.io/service-account.name': 'app', 'kubernetes.io/service-account.uid': 'old' } }, type: 'kubernetes.io/service-account-token' })
  const containers = [{ name: 'c', env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'variable', key: 'token' } } }], envFrom: [{ secretRef: { name: 'variables' } }] }]
  const volumes = [
    { name: 'p', projected: { sources: [{ secret: { name: 'projected' } }] } }, { name: 'd', csi: { driver: 'd', nodePublishSecretRef: { name: 'driver' } } }, { name: 's', azureFile: { shareName: 's', secretName: 'share' } },
  ]
  await bench.client.create(core.pods, { metadata: { name: 'p', namespace: 'x' }, spec: { containers, volumes, imagePullSecrets: [{ name: 'pull' }] } })
  await bench.start(startTokenCleaner)
  await days(366)
  expect(new Set(Object.values(left()))).toEqual(new Set(['']))
  await days(1)
  expect(Object.entries(left()).filter(([, since]) => since !== '')).toEqual([['last-year', '2027-01-03']])
})

it('does nothing before it is known for a year who uses what', async () => {
  await account('old')
  await secret('old')
  await bench.start(startTokenCleaner)
  await days(400)
  expect(left()).toEqual({ old: '' })
})
