import { afterEach, beforeEach, expect, it } from 'vitest'
import { RuntimeError } from '../runtime/driver.ts'
import { startTestNode, type TestNode } from '../testing/node.ts'

let node: TestNode
beforeEach(async () => { node = await startTestNode() })
afterEach(() => node.close())

const series = async (name: string) => (await node.probeMetrics()).split('\n').filter((line) => line.startsWith(name))
const probe = { exec: { command: ['check'] }, periodSeconds: 5, failureThreshold: 1 }
const ready = (name: string) => node.pod(name).status.conditions?.find((c) => c.type === 'Ready')?.status
const restarts = (name: string) => node.pod(name).status.containerStatuses?.[0]?.restartCount

it('counts what every probe said, and how long those that passed took', async () => {
  let code = 0
  node.runtime.onExec = () => code
  await node.create('web', { containers: [{ name: 'main', image: 'app:1', readinessProbe: probe }] })
  code = 1
  await node.pass(5_000)
  const total = (result: string) => `prober_probe_total{probe_type="Readiness",container="main",pod="web",namespace="default",result="${result}",pod_uid="${node.pod('web').metadata.uid}"} 1`
  expect(await series('prober_probe_total')).toEqual([total('successful'), total('failed')])
  expect(await series('prober_probe_duration_seconds_count')).toEqual(['prober_probe_duration_seconds_count{probe_type="Readiness",container="main",pod="web",namespace="default"} 1'])
  expect(await series('prober_probe_duration_seconds_bucket{le="0.005"')).toHaveLength(1)
})

it('counts the pods of a Deployment as one, and forgets them with their end', async () => {
  await node.create('web-5d4f8c7b9-x2x4z', { containers: [{ name: 'main', image: 'app:1', livenessProbe: probe }] }, { generateName: 'web-5d4f8c7b9-', labels: { 'pod-template-hash': '5d4f8c7b9' } })
  await node.create('job-abcde', { containers: [{ name: 'main', image: 'app:1', startupProbe: probe }] }, { generateName: 'job-' })
  await node.pass(0)
  expect((await series('prober_probe_duration_seconds_count')).toSorted()).toEqual([
    'prober_probe_duration_seconds_count{probe_type="Liveness",container="main",pod="web",namespace="default"} 1',
    'prober_probe_duration_seconds_count{probe_type="Startup",container="main",pod="job",namespace="default"} 1',
  ])
  await node.delete('web-5d4f8c7b9-x2x4z')
  await node.delete('job-abcde')
  await node.pass(31_000)
  expect(await series('prober_probe')).toEqual([])
})

it('learns nothing from a probe that could not be asked: it says so, and neither restarts nor takes back what it knew', async () => {
  let broken = false
  node.runtime.onExec = () => {
    if (broken) throw new RuntimeError('failed', 'exec: "check": executable file not found in $PATH')
    return 0
  }
  await node.create('web', { containers: [{ name: 'main', image: 'app:1', livenessProbe: probe, readinessProbe: probe }] })
  broken = true
  await node.pass(30_000)
  expect(ready('web')).toBe('True')
  expect(restarts('web')).toBe(0)
  expect(node.events('web')).toContain('Unhealthy: Liveness probe errored and resulted in unknown state: exec: "check": executable file not found in $PATH')
  expect(node.events('web')).toContain('Unhealthy: Readiness probe errored and resulted in unknown state: exec: "check": executable file not found in $PATH')
  expect((await series('prober_probe_total')).every((line) => line.endsWith(' 1'))).toBe(true)
})

it('asks three times before it says that it could not', async () => {
  let asked = 0
  node.runtime.onExec = () => {
    if (++asked % 3 !== 0) throw new RuntimeError('failed', 'the runtime is busy')
    return 0
  }
  await node.create('web', { containers: [{ name: 'main', image: 'app:1', readinessProbe: probe }] })
  expect(asked).toBe(3)
  expect(ready('web')).toBe('True')
  expect(node.events('web').join()).not.toContain('Unhealthy')
})
