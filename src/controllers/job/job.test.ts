import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { batch, core, type In } from '../../api/index.ts'
import { createBench, setReady, settle, type Bench } from '../testing/bench.ts'
import { formatIndexes, parseIndexes } from './indexes.ts'
import { startJobController } from './job.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startJobController)
})
afterEach(() => bench.stop())

const create = (spec: Partial<In<typeof batch.JobSpec>> = {}) => bench.client.create(batch.jobs, {
  metadata: { name: 'work', namespace: 'default' },
  spec: {
    parallelism: 1, completions: 1, backoffLimit: 6, completionMode: 'NonIndexed', suspend: false, podReplacementPolicy: 'TerminatingOrFailed',
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'x' } },
    template: { metadata: { labels: { 'batch.kubernetes.io/controller-uid': 'x' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } },
    ...spec,
  },
})
const job = () => bench.client.stored(batch.jobs).get('default/work') as batch.Job
const change = (spec: Partial<batch.JobSpec>) => bench.client.edit(batch.jobs, 'default/work', (j) => ({ ...j, spec: { ...j.spec, ...spec } }))
const running = () => bench.pods().filter((p) => p.status.phase !== 'Succeeded' && p.status.phase !== 'Failed' && !p.metadata.deletionTimestamp)
const conditions = () => (job().status.conditions ?? []).filter((c) => c.status === 'True').map((c) => `${c.type} ${c.reason}`)
function end(pod: core.Pod, phase: 'Succeeded' | 'Failed', exitCode = phase === 'Failed' ? 1 : 0, conditions: core.PodCondition[] = []): void {
  const finishedAt = new Date(bench.clock.now()).toISOString().slice(0, 19) + 'Z'
  bench.client.edit(core.pods, `default/${pod.metadata.name}`, (p) => ({
    ...p, status: { ...p.status, phase, conditions, containerStatuses: [{ name: 'c', ready: false, restartCount: 0, image: 'i', imageID: '', state: { terminated: { exitCode, finishedAt, startedAt: finishedAt } } }] },
  }))
}
const indexes = () => running().map((p) => p.metadata.annotations?.['batch.kubernetes.io/job-completion-index']).sort()

describe('a job', () => {
  it('runs a pod, counts its success once, and is complete when it is counted', async () => {
    await create()
    await settle(40)
    expect(running()).toHaveLength(1)
    expect(running()[0]?.metadata.finalizers).toContain('batch.kubernetes.io/job-tracking')
    expect(job().status).toMatchObject({ active: 1, ready: 0 })
    setReady(bench, running()[0] as core.Pod)
    await settle(40)
    expect(job().status.ready).toBe(1)
    end(running()[0] as core.Pod, 'Succeeded')
    await settle(80)
    expect(job().status).toMatchObject({ succeeded: 1, uncountedTerminatedPods: {}, completionTime: expect.any(String) as string })
    expect(job().status.active).toBeUndefined()
    expect(conditions()).toEqual(['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'])
    expect(bench.pods()[0]?.metadata.finalizers ?? []).toEqual([])
    expect(bench.pods()).toHaveLength(1)
    expect(bench.events()).toContain('Normal Completed Job completed')
  })

  it('runs as many at once as it may, until enough have succeeded', async () => {
    await create({ completions: 5, parallelism: 2 })
    for (let done = 0; done < 5; done++) {
      await settle(80)
      expect(running().length).toBe(Math.min(2, 5 - done))
      end(running()[0] as core.Pod, 'Succeeded')
    }
    await settle(120)
    expect([job().status.succeeded, bench.pods().length, running().length]).toEqual([5, 5, 0])
    expect(conditions()).toContain('Complete CompletionsReached')
  })

  it('tries again after a failure, waiting 10 s and then longer', async () => {
    await create()
    await settle(40)
    const waits: number[] = []
    for (let i = 0; i < 3; i++) {
      end(running()[0] as core.Pod, 'Failed')
      const before = bench.clock.now()
      do await bench.clock.advance(1000)
      while (running().length === 0 && bench.clock.now() - before < 120_000)
      waits.push(Math.round((bench.clock.now() - before) / 1000))
    }
    expect(waits).toEqual([10, 20, 40])
    expect(job().status.failed).toBe(3)
  })

  it('gives up when it failed too often', async () => {
    await create({ backoffLimit: 1 })
    await settle(40)
    end(running()[0] as core.Pod, 'Failed')
    await bench.clock.advance(15_000)
    end(running()[0] as core.Pod, 'Failed')
    await bench.clock.advance(60_000)
    expect(conditions()).toEqual(['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded'])
    expect(job().status.failed).toBe(2)
    expect(running()).toEqual([])
    expect(bench.events()).toContain('Warning BackoffLimitExceeded Job has reached the specified backoff limit')
  })

  it('ends at its deadline, and its pods with it', async () => {
    await create({ activeDeadlineSeconds: 30, parallelism: 2, completions: 2 })
    await bench.clock.advance(29_000)
    expect(running()).toHaveLength(2)
    await bench.clock.advance(3000)
    expect(running()).toHaveLength(0)
    expect(conditions()).toEqual(['FailureTarget DeadlineExceeded', 'Failed DeadlineExceeded'])
  })

  it('that is suspended runs nothing, and starts anew when it is resumed', async () => {
    await create({ suspend: true, backoffLimit: 0 })
    await settle(40)
    expect(bench.pods()).toEqual([])
    expect(conditions()).toEqual(['Suspended JobSuspended'])
    expect(job().status.startTime).toBeUndefined()
    change({ suspend: false })
    await settle(40)
    expect(running()).toHaveLength(1)
    expect(job().status.startTime).toBeDefined()
    change({ suspend: true })
    await bench.clock.advance(5000)
    expect(bench.pods()).toEqual([])
    expect(conditions()).toEqual(['Suspended JobSuspended'])
    expect(job().status.failed).toBeUndefined()
    expect(bench.events('Suspended')).toEqual(['Normal Suspended Job suspended'])
  })

  it('without a number of completions is complete when one succeeded and the others ended', async () => {
    await create({ completions: undefined, parallelism: 3 })
    await settle(40)
    const [a, b, c] = running() as [core.Pod, core.Pod, core.Pod]
    end(a, 'Succeeded')
    await bench.clock.advance(5000)
    expect([running().length, conditions()]).toEqual([2, []])
    end(b, 'Succeeded')
    end(c, 'Failed')
    await bench.clock.advance(5000)
    expect(conditions()).toContain('Complete CompletionsReached')
    expect(job().status).toMatchObject({ succeeded: 2, failed: 1 })
  })

  it('counts each end once although the watch of the job is late', async () => {
    await bench.stop()
    bench = createBench()
    const watch = bench.client.watch.bind(bench.client)
    bench.client.watch = (async function* (r: { plural: string }, o: never) {
      for await (const event of watch(r as never, o)) {
        if (r.plural === 'jobs') await bench.clock.sleep(700)
        yield event
      }
    }) as typeof bench.client.watch
    await bench.start(startJobController)
    await create({ completions: 3, parallelism: 3 })
    await bench.clock.advance(5000)
    for (const pod of running()) end(pod, 'Succeeded')
    await bench.clock.advance(60_000)
    expect(job().status.succeeded).toBe(3)
    expect(bench.pods()).toHaveLength(3)
    expect(conditions()).toContain('Complete CompletionsReached')
  })

  it('lets its pods go when it is deleted', async () => {
    await create()
    await settle(40)
    await bench.client.delete(batch.jobs, 'work', { namespace: 'default' })
    await bench.client.delete(core.pods, running()[0]?.metadata.name ?? '', { namespace: 'default' })
    await bench.clock.advance(5000)
    expect(bench.pods()).toEqual([])
  })
})

describe('pods that change hands', () => {
  const finalizers = (name: string) => bench.pods().find((pod) => pod.metadata.name === name)?.metadata.finalizers ?? []

  it('are kept for counting while they are a job\'s, and only then', async () => {
    await create({ completions: 9 })
    await settle(40)
    const [first] = running()
    const name = first?.metadata.name ?? ''
    const relabel = (labels: Record<string, string | null>) => bench.client.patch(core.pods, name, { type: 'merge', body: { metadata: { labels } } }, { namespace: 'default' })
    expect(finalizers(name)).toEqual(['batch.kubernetes.io/job-tracking'])
    const own = first?.metadata.labels ?? {}
    await relabel(Object.fromEntries(Object.keys(own).map((key) => [key, null])))
    await settle(40)
    expect(bench.pods().find((pod) => pod.metadata.name === name)?.metadata.ownerReferences ?? []).toEqual([])
    expect(finalizers(name)).toEqual([])
    await relabel(own)
    await bench.client.patch(batch.jobs, 'work', { type: 'merge', body: { spec: { parallelism: 3 } } }, { namespace: 'default' })
    await settle(40)
    expect(finalizers(name)).toEqual(['batch.kubernetes.io/job-tracking'])
  })

  it('are let go when their job is deleted without them', async () => {
    await create()
    await settle(40)
    const name = running()[0]?.metadata.name ?? ''
    await bench.client.delete(batch.jobs, 'work', { namespace: 'default', propagationPolicy: 'Background' })
    await bench.client.patch(core.pods, name, { type: 'merge', body: { metadata: { ownerReferences: null } } }, { namespace: 'default' })
    await settle(40)
    expect(finalizers(name)).toEqual([])
  })
})

describe('an indexed job', () => {
  it('has one pod for each index, which knows it', async () => {
    await create({ completionMode: 'Indexed', completions: 3, parallelism: 2 })
    await settle(40)
    expect(indexes()).toEqual(['0', '1'])
    expect(running()[0]).toMatchObject({
      metadata: { labels: { 'batch.kubernetes.io/job-completion-index': '0' }, generateName: 'work-0-' },
      spec: { hostname: 'work-0', containers: [{ env: [{ name: 'JOB_COMPLETION_INDEX' }] }] },
    })
    end(running().find((p) => p.metadata.annotations?.['batch.kubernetes.io/job-completion-index'] === '1') as core.Pod, 'Succeeded')
    await settle(80)
    expect(indexes()).toEqual(['0', '2'])
    expect(job().status).toMatchObject({ completedIndexes: '1', succeeded: 1 })
    for (const pod of running()) end(pod, 'Succeeded')
    await settle(120)
    expect(job().status).toMatchObject({ completedIndexes: '0-2', succeeded: 3 })
    expect(conditions()).toContain('Complete CompletionsReached')
  })

  it('fails only the indexes that fail too often, and the job when all are decided', async () => {
    await create({ completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 0, backoffLimit: 100 })
    await settle(40)
    const [a, b] = running() as [core.Pod, core.Pod]
    end(a, 'Failed')
    await bench.clock.advance(30_000)
    expect(indexes()).toEqual(['1'])
    end(b, 'Succeeded')
    await bench.clock.advance(30_000)
    expect(job().status).toMatchObject({ failedIndexes: '0', completedIndexes: '1' })
    expect(conditions()).toContain('Failed FailedIndexes')
  })

  it('ends early when its success policy is met', async () => {
    await create({ completionMode: 'Indexed', completions: 3, parallelism: 3, successPolicy: { rules: [{ succeededIndexes: '0' }] } })
    await settle(40)
    end(running()[0] as core.Pod, 'Succeeded')
    await bench.clock.advance(10_000)
    expect(running()).toEqual([])
    expect(conditions()).toEqual(['SuccessCriteriaMet SuccessPolicy', 'Complete SuccessPolicy'])
  })
})

describe('a pod failure policy', () => {
  it('fails the job at once, or ignores the failure, by exit code', async () => {
    await create({ podReplacementPolicy: 'Failed', backoffLimit: 0, podFailurePolicy: { rules: [
      { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ] } })
    await settle(40)
    const [first] = running() as [core.Pod]
    end(first, 'Failed', 143, [{ type: 'DisruptionTarget', status: 'True', lastProbeTime: null, lastTransitionTime: null }])
    await bench.clock.advance(30_000)
    expect(job().status.failed).toBeUndefined()
    expect(running()).toHaveLength(1)
    end(running()[0] as core.Pod, 'Failed', 42)
    await bench.clock.advance(30_000)
    expect(conditions()).toContain('Failed PodFailurePolicy')
    expect(job().status.conditions?.find((c) => c.type === 'Failed')?.message).toMatch(/^Container c for pod default\/work-.* failed with exit code 42 matching FailJob rule at index 0$/)
  })
})

describe('completion indexes', () => {
  it('are written as ranges and read back', () => {
    expect(formatIndexes(new Set([1, 3, 4, 5, 7, 8]))).toBe('1,3-5,7,8')
    expect([...parseIndexes('1,3-5,7,8', 8)]).toEqual([1, 3, 4, 5, 7])
    expect(formatIndexes(new Set())).toBe('')
  })
})
