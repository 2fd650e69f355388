import { describe, expect, it } from 'vitest'
import { ask } from '../testing/ask.ts'
import { componentStatuses } from './component-statuses.ts'
import { createHealth, type HealthCheck } from './health.ts'
import { versionInfo } from './version.ts'

const good: HealthCheck = { name: 'ping', check: () => undefined }
const bad: HealthCheck = { name: 'etcd', check: () => Promise.reject(new Error('no answer from 10.0.0.1')) }
const starting: HealthCheck = { name: 'roles', of: ['readyz'], check: () => { throw new Error('not yet') } }

describe('health', () => {
  it('is ok, or a list of what is not, without the reasons', async () => {
    expect(await ask(createHealth('livez', () => [good, starting]), '/livez')).toMatchObject({ code: 200, text: 'ok' })
    const failed = await ask(createHealth('healthz', () => [good, bad]), '/healthz')
    expect(failed).toMatchObject({ code: 500, text: '[+]ping ok\n[-]etcd failed: reason withheld\nhealthz check failed\n' })
    expect(failed.text).not.toContain('10.0.0.1')
  })

  it('keeps a server that is still starting alive, but out of work', async () => {
    expect((await ask(createHealth('livez', () => [good, starting]), '/livez')).code).toBe(200)
    expect((await ask(createHealth('readyz', () => [good, starting]), '/readyz')).code).toBe(500)
  })

  it('is told check by check, one by one, and without some', async () => {
    const handler = createHealth('readyz', () => [good, bad])
    expect((await ask(createHealth('readyz', () => [good]), '/readyz?verbose')).text).toBe('[+]ping ok\nreadyz check passed\n')
    expect(await ask(handler, '/readyz/ping')).toMatchObject({ code: 200, text: 'ok' })
    expect((await ask(handler, '/readyz/etcd')).code).toBe(500)
    expect((await ask(handler, '/readyz?verbose&exclude=etcd')).text).toBe('[+]ping ok\n[+]etcd excluded: ok\nreadyz check passed\n')
    await expect(ask(handler, '/readyz/nothing')).rejects.toMatchObject({ code: 404 })
  })
})

it('tells the state of the store to those who still ask for component statuses', async () => {
  expect(await componentStatuses(() => [good, bad]).list?.({ warn: () => {} } as never)).toMatchObject([
    { metadata: { name: 'ping' }, conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }] },
    { metadata: { name: 'etcd' }, conditions: [{ type: 'Healthy', status: 'False', error: 'no answer from 10.0.0.1' }] },
  ])
})

it('has a version that clients can parse and compare', () => {
  expect(versionInfo.gitVersion).toMatch(/^v1\.36\.\d+\+[0-9A-Za-z.-]+$/)
  expect(`${versionInfo.major}.${versionInfo.minor}`).toBe('1.36')
})
