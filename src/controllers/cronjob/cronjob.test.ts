import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { batch, type In } from '../../api/index.ts'
import { startTtlAfterFinishedController } from '../ttlafterfinished/ttlafterfinished.ts'
import { createBench, settle, type Bench } from '../testing/bench.ts'
import { startCronJobController } from './cronjob.ts'
import { parseSchedule } from './schedule.ts'

const at = (text: string) => Date.parse(text)
const show = (ms: number | undefined) => (ms === undefined ? 'never' : new Date(ms).toISOString().slice(0, 16))
const minute = 60_000

describe('a schedule', () => {
  for (const [text, after, next, zone] of [
    ['*/15 * * * *', '2026-01-01T10:07Z', '2026-01-01T10:15'],
    ['0 9 * * mon-fri', '2026-01-02T10:00Z', '2026-01-05T09:00'],
    ['0 0 1 * *', '2026-01-01T00:00Z', '2026-02-01T00:00'],
    ['0 0 29 2 *', '2026-01-01T00:00Z', '2028-02-29T00:00'],
    ['30 12 1,15 * 3', '2026-01-01T00:00Z', '2026-01-01T12:30'],
    ['30 12 13 * fri', '2026-01-03T00:00Z', '2026-01-09T12:30'],
    ['5/20 * * * *', '2026-01-01T10:06Z', '2026-01-01T10:25'],
    ['@daily', '2026-01-01T10:07Z', '2026-01-02T00:00'],
    ['@every 1h30m', '2026-01-01T10:00Z', '2026-01-01T11:30'],
    ['0 8 * * *', '2026-07-01T00:00Z', '2026-07-01T06:00', 'Europe/Berlin'],
    ['0 8 * * *', '2026-01-01T00:00Z', '2026-01-01T07:00', 'Europe/Berlin'],
    ['30 23 * * *', '2026-01-01T00:00Z', '2026-01-01T18:00', 'Asia/Kolkata'],
    ['30 0 * * sun', '2026-03-23T00:00Z', '2026-03-28T23:30', 'Europe/Berlin'],
    ['30 2 * * *', '2026-03-28T12:00Z', '2026-03-30T00:30', 'Europe/Berlin'],
    ['0 0 1 11 *', '2026-01-01T00:00Z', '2026-11-01T04:00', 'America/New_York'],
    ['30 0 7 9 *', '2025-09-01T00:00Z', '2026-09-07T03:30', 'America/Santiago'],
    ['0 0 31 2 *', '2026-01-01T00:00Z', 'never'],
  ] as const) it(`${text} ${zone ?? ''} after ${after} is at ${next}`, () => expect(show(parseSchedule(text, zone).next(at(after)))).toBe(next))

  it('of wrong form or zone is refused', () => {
    for (const text of ['* * * *', '61 * * * *', 'x * * * *', '* * * * 8', '*/0 * * * *']) expect(() => parseSchedule(text), text).toThrow()
    expect(() => parseSchedule('* * * * *', 'Mars/Olympus')).toThrow()
  })
})

describe('a cron job', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = createBench()
    await bench.start(startCronJobController, startTtlAfterFinishedController)
  })
  afterEach(() => bench.stop())

  const create = (spec: Partial<In<typeof batch.CronJobSpec>> = {}) => bench.client.create(batch.cronjobs, {
    metadata: { name: 'tick', namespace: 'default' },
    spec: { schedule: '*/10 * * * *', concurrencyPolicy: 'Allow', successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1, suspend: false, jobTemplate: { metadata: { labels: { a: 'b' } }, spec: { template: { spec: { containers: [{ name: 'c', image: 'i' }] } } } }, ...spec },
  })
  const cronJob = () => bench.client.stored(batch.cronjobs).get('default/tick') as batch.CronJob
  const jobs = () => [...bench.client.stored(batch.jobs).values()]
  const end = (job: batch.Job, type = 'Complete') => bench.client.edit(batch.jobs, `default/${job.metadata.name}`, (j) => ({
    ...j, status: { ...j.status, startTime: j.metadata.creationTimestamp ?? undefined, completionTime: time(), conditions: [{ type, status: 'True', lastProbeTime: null, lastTransitionTime: time() }] },
  }))
  const time = () => `${new Date(bench.clock.now()).toISOString().slice(0, 19)}Z`

  it('makes a job at its time, named by it, and remembers when', async () => {
    await create()
    await bench.clock.advance(9 * minute)
    expect(jobs()).toEqual([])
    await bench.clock.advance(minute + 1000)
    const scheduled = at('2026-01-01T00:10Z')
    expect(jobs()).toMatchObject([{ metadata: { name: `tick-${scheduled / minute}`, labels: { a: 'b' }, annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:10:00Z' }, ownerReferences: [{ kind: 'CronJob', controller: true }] } }])
    expect(cronJob().status).toMatchObject({ lastScheduleTime: '2026-01-01T00:10:00Z', active: [{ kind: 'Job', name: `tick-${scheduled / minute}` }] })
    end(jobs()[0] as batch.Job)
    await settle()
    expect(cronJob().status.active).toBeUndefined()
    expect(cronJob().status.lastSuccessfulTime).toBeDefined()
    expect(bench.events('SawCompletedJob')).toEqual([`Normal SawCompletedJob Saw completed job: tick-${scheduled / minute}, condition: Complete`])
  })

  it('runs on and on, once each time', async () => {
    await create({ successfulJobsHistoryLimit: 100 })
    await bench.clock.advance(65 * minute)
    expect(jobs()).toHaveLength(6)
  })

  it('that forbids it starts none while one runs, and the one it missed when that ends', async () => {
    await create({ concurrencyPolicy: 'Forbid' })
    await bench.clock.advance(25 * minute)
    expect(jobs()).toHaveLength(1)
    end(jobs()[0] as batch.Job)
    await settle()
    expect(jobs().map((j) => j.metadata.name)).toEqual([`tick-${at('2026-01-01T00:10Z') / minute}`, `tick-${at('2026-01-01T00:20Z') / minute}`])
  })

  it('that replaces removes the one that runs', async () => {
    await create({ concurrencyPolicy: 'Replace' })
    await bench.clock.advance(21 * minute)
    expect(jobs().map((j) => j.metadata.name)).toEqual([`tick-${at('2026-01-01T00:20Z') / minute}`])
  })

  it('tells of a job that was deleted while it ran, and goes on', async () => {
    await create({ concurrencyPolicy: 'Forbid' })
    await bench.clock.advance(10 * minute + 1000)
    const name = jobs()[0]?.metadata.name ?? ''
    await bench.client.delete(batch.jobs, name, { namespace: 'default' })
    await settle()
    expect(cronJob().status.active).toBeUndefined()
    expect(bench.events('MissingJob')).toEqual([`Normal MissingJob Active job went missing: ${name}`])
    await bench.clock.advance(10 * minute)
    expect(jobs().map((j) => j.metadata.name)).toEqual([`tick-${at('2026-01-01T00:20Z') / minute}`])
  })

  it.each(['Forbid', 'Replace'] as const)('that says %s leaves a job alone that somebody made from it, and is not held up by it', async (concurrencyPolicy) => {
    await create({ concurrencyPolicy })
    await bench.client.create(batch.jobs, {
      metadata: { name: 'by-hand', namespace: 'default', ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'tick', uid: cronJob().metadata.uid ?? '', controller: true }] },
      spec: { template: { spec: { containers: [] } } },
    })
    await settle()
    expect(cronJob().status.active).toBeUndefined()
    expect(bench.events('UnexpectedJob')).toEqual(['Warning UnexpectedJob Saw a job that the controller did not create or forgot: by-hand'])
    await bench.clock.advance(11 * minute)
    expect(jobs().map((j) => j.metadata.name).toSorted()).toEqual(['by-hand', `tick-${at('2026-01-01T00:10Z') / minute}`])
    expect(cronJob().status.active?.map((ref) => ref.name)).toEqual([`tick-${at('2026-01-01T00:10Z') / minute}`])
  })

  it('that was away runs only the last of what it missed, and none that is too late', async () => {
    await bench.stop()
    for (const [deadline, expected] of [[undefined, 1], [60, 0]] as const) {
      bench = createBench()
      await create({ startingDeadlineSeconds: deadline })
      await bench.clock.advance(55 * minute)
      await bench.start(startCronJobController)
      await bench.clock.advance(1000)
      expect(jobs().map((j) => j.metadata.name)).toEqual(expected ? [`tick-${at('2026-01-01T00:50Z') / minute}`] : [])
      await bench.stop()
    }
    bench = createBench()
  })

  it('tells how late the run would have been, and that too many were missed, also with a deadline', async () => {
    await bench.stop()
    for (const [minutes, deadline, reason, message] of [
      [100, 60 * 200, 'TooManyMissedTimes', undefined],
      [101, 60 * 200, 'TooManyMissedTimes', 'Warning TooManyMissedTimes too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew'],
      [400, undefined, 'TooManyMissedTimes', 'Warning TooManyMissedTimes too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew'],
    ] as const) {
      bench = createBench()
      await create({ schedule: '* * * * *', startingDeadlineSeconds: deadline })
      await bench.clock.advance(minutes * minute)
      await bench.start(startCronJobController)
      expect(bench.events(reason), String(minutes)).toEqual(message ? [message] : [])
      await bench.stop()
    }
    bench = createBench()
  })

  it('notes the scheduled time as it reads in its time zone', async () => {
    await create({ timeZone: 'Asia/Kolkata' })
    await bench.clock.advance(10 * minute + 1000)
    expect(jobs()[0]?.metadata.annotations).toEqual({ 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T05:40:00+05:30' })
  })

  it('in a time zone that nobody knows says so', async () => {
    await create({ timeZone: 'Mars/Olympus' })
    await settle()
    expect(bench.events('UnknownTimeZone')).toEqual(['Warning UnknownTimeZone invalid timeZone: "Mars/Olympus": unknown time zone Mars/Olympus'])
  })

  it('that is suspended makes none', async () => {
    await create({ suspend: true })
    await bench.clock.advance(60 * minute)
    expect(jobs()).toEqual([])
  })

  it('keeps as many ended jobs as its history', async () => {
    await create({ successfulJobsHistoryLimit: 2 })
    for (let i = 0; i < 5; i++) {
      await bench.clock.advance(10 * minute)
      for (const job of jobs()) if (!job.status.completionTime) end(job)
    }
    await settle()
    expect(jobs().filter((job) => job.status.completionTime)).toHaveLength(2)
  })

  it('with a schedule that is none says so', async () => {
    await create({ schedule: 'now and then' })
    await settle()
    expect(bench.events('UnparseableSchedule')).toHaveLength(1)
  })

  it('in a time zone that there is not says so', async () => {
    await create({ timeZone: 'Mars/Base' })
    await settle()
    expect(bench.events()).toEqual(['Warning UnknownTimeZone invalid timeZone: "Mars/Base": unknown time zone Mars/Base'])
  })

  it('jobs with a time to live go when it is over', async () => {
    const job = await bench.client.create(batch.jobs, { metadata: { name: 'j', namespace: 'default' }, spec: { ttlSecondsAfterFinished: 100, template: { spec: { containers: [] } } } })
    await bench.clock.advance(1000_000)
    expect(jobs()).toHaveLength(1)
    end(job)
    await bench.clock.advance(99_000)
    expect(jobs()).toHaveLength(1)
    await bench.clock.advance(2000)
    expect(jobs().filter((j) => j.metadata.deletionTimestamp === undefined)).toEqual([])
    expect(bench.client.calls.filter((c) => c.verb === 'delete')).toHaveLength(1)
  })
})
