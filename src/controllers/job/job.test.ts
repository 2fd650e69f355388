import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { batch, core, type In } from '../../api/index.ts'
import { createBench, setReady, settle, type Bench } from '../testing/bench.ts'
import { formatIndexes, parseIndexes } from './indexes.ts'
import { startJobController } from './job.ts'
import { endOf, podFor } from './pods.ts'
import { successes, tallyOf } from './tracking.ts'

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

  it('that is to run fewer pods at once does not count those it removes as failed', async () => {
    await create({ completions: 5, parallelism: 3, backoffLimit: 0 })
    await settle(40)
    change({ parallelism: 1 })
    await bench.clock.advance(15_000)
    expect([running().length, job().status.failed, conditions()]).toEqual([1, undefined, []])
  })

  it('that replaces only what has ended removes no pod because another is on its way out', async () => {
    await create({ completions: 5, parallelism: 3, podReplacementPolicy: 'Failed' })
    await settle(40)
    await bench.client.delete(core.pods, running()[0]?.metadata.name ?? '', { namespace: 'default' })
    change({ parallelism: 2 })
    await bench.clock.advance(5000)
    expect([running().length, job().status.terminating]).toEqual([2, 1])
  })

  it('is complete also when it was suspended at last', async () => {
    await create({ completions: 2, parallelism: 2 })
    await settle(40)
    for (const pod of running()) end(pod, 'Succeeded')
    change({ suspend: true })
    await bench.clock.advance(5000)
    expect(conditions()).toEqual(['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'])
  })

  it('writes down 500 ends at a time, and knows of the others too', () => {
    const pods = Array.from({ length: 620 }, (_, i) => ({ metadata: { uid: `u${i}`, finalizers: ['batch.kubernetes.io/job-tracking'] }, status: { phase: 'Succeeded' } })) as unknown as core.Pod[]
    const tally = tallyOf({ metadata: {}, spec: { completions: 620 }, status: {} } as unknown as batch.Job, pods)
    expect([tally.uncounted.succeeded.length, tally.release.length, successes(tally)]).toEqual([500, 500, 620])
  })

  it('decides each index once, although one of its pods failed and another succeeded', () => {
    const pod = (uid: string, phase: string) => ({ metadata: { uid, finalizers: ['batch.kubernetes.io/job-tracking'], annotations: { 'batch.kubernetes.io/job-completion-index': '0' } }, status: { phase } }) as unknown as core.Pod
    const indexed = { metadata: {}, spec: { completions: 2, completionMode: 'Indexed', backoffLimitPerIndex: 0 }, status: {} } as unknown as batch.Job
    const { completed, failedIndexes } = tallyOf(indexed, [pod('a', 'Failed'), pod('b', 'Succeeded')])
    expect([[...completed], [...failedIndexes]]).toEqual([[0], []])
  })

  it('lets its pods go when it is about to be deleted, running ones too', async () => {
    await create({ podReplacementPolicy: 'Failed' })
    await settle(40)
    bench.client.edit(batch.jobs, 'default/work', (j) => ({ ...j, metadata: { ...j.metadata, finalizers: ['foregroundDeletion'] } }))
    await bench.client.delete(batch.jobs, 'work', { namespace: 'default' })
    await bench.clock.advance(5000)
    expect(running()[0]?.metadata.finalizers ?? []).toEqual([])
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
    expect(job().status.failed).toBeUndefined()
  })

  it('tries each index again in its own time, and knows how often it failed also when the pod was deleted', async () => {
    await create({ completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 1, backoffLimit: 100, podReplacementPolicy: 'TerminatingOrFailed' })
    await settle(40)
    const of = (index: number) => running().find((p) => p.metadata.annotations?.['batch.kubernetes.io/job-completion-index'] === String(index))
    end(of(0) as core.Pod, 'Failed')
    await bench.client.delete(core.pods, bench.pods().find((p) => p.status.phase === 'Failed')?.metadata.name ?? '', { namespace: 'default' })
    await bench.clock.advance(8000)
    expect(of(0)).toBeUndefined()
    end(of(1) as core.Pod, 'Failed')
    await bench.clock.advance(4000)
    expect([of(0)?.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'], of(1)]).toEqual(['1', undefined])
    end(of(0) as core.Pod, 'Failed')
    await bench.clock.advance(8000)
    expect(of(1)).toBeDefined()
    expect(job().status).toMatchObject({ failedIndexes: '0', failed: 3 })
  })

  it('counts failures that are ignored apart', async () => {
    await create({ completionMode: 'Indexed', completions: 1, backoffLimitPerIndex: 0, podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [7] } }] } })
    await settle(40)
    end(running()[0] as core.Pod, 'Failed', 7)
    await bench.clock.advance(15_000)
    expect(running()[0]?.metadata.annotations).toMatchObject({ 'batch.kubernetes.io/job-index-failure-count': '0', 'batch.kubernetes.io/job-index-ignored-failure-count': '1' })
    expect(job().status.failedIndexes).toBe('')
  })

  it('that is made smaller keeps the pods of the indexes that it still has', async () => {
    await create({ completionMode: 'Indexed', completions: 5, parallelism: 5 })
    await settle(40)
    change({ completions: 2, parallelism: 2 })
    await bench.clock.advance(5000)
    expect(indexes()).toEqual(['0', '1'])
    expect(job().status.failed).toBeUndefined()
  })

  it('tells its pods their index by their label', async () => {
    await create({ completionMode: 'Indexed', completions: 1 })
    await settle(40)
    expect(running()[0]?.spec.containers[0]?.env?.[0]?.valueFrom?.fieldRef?.fieldPath).toBe("metadata.labels['batch.kubernetes.io/job-completion-index']")
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

describe('the name of a pod with an index', () => {
  it('holds the index, however long that of the job is', () => {
    const of = (name: string) => (podFor({ metadata: { name }, spec: { template: { metadata: {}, spec: { containers: [] } } } } as unknown as batch.Job, 12, { counted: 0, ignored: 0 }).metadata as { generateName: string }).generateName
    expect([of('work'), of('x'.repeat(60))]).toEqual(['work-12-', `${'x'.repeat(54)}-12-`])
  })
})

describe('how long a job waits', () => {
  const at = (seconds: number) => `2026-01-01T00:00:${String(seconds).padStart(2, '0')}Z`
  const pod = (status: object, metadata: object = {}) => ({ metadata: { creationTimestamp: at(1), ...metadata }, status }) as unknown as core.Pod
  it('is counted from the end of a pod: of its containers, or else when it was not ready any more, or was to go', () => {
    const ended = (finishedAt?: string) => ({ state: finishedAt ? { terminated: { finishedAt } } : {} })
    const ready = { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: at(5) }] }
    expect(endOf(pod({ containerStatuses: [ended(at(7)), ended(at(9))], ...ready }))).toBe(Date.parse(at(9)))
    expect(endOf(pod({ containerStatuses: [ended(at(7)), ended()], ...ready }))).toBe(Date.parse(at(5)))
    expect(endOf(pod({}, { deletionTimestamp: at(40), deletionGracePeriodSeconds: 30 }))).toBe(Date.parse(at(10)))
    expect(endOf(pod({}))).toBe(Date.parse(at(1)))
  })
})

describe('completion indexes', () => {
  it('are written as ranges and read back', () => {
    expect(formatIndexes(new Set([1, 3, 4, 5, 7, 8]))).toBe('1,3-5,7,8')
    expect([...parseIndexes('1,3-5,7,8', 8)]).toEqual([1, 3, 4, 5, 7])
    expect(formatIndexes(new Set())).toBe('')
  })
})
