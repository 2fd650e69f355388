import { describe, expect, it } from 'vitest'
import { batch } from '../../../api/index.ts'
import { strategyFor } from '../strategies.ts'
import { complete, created, createErrors, environment, row, statusErrors, updateErrors } from '../testing.ts'
import { scheduleProblem } from './cron-schedule.ts'

const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox:1' }] } }
const job = (spec: object = {}) => ({ metadata: { name: 'once', namespace: 'default', uid: 'u-1' }, spec: { template, ...spec } })

describe('jobs', () => {
  it('run one pod once, unless they say otherwise', () => {
    expect(complete(batch.jobs, job()).spec).toMatchObject({ completions: 1, parallelism: 1, backoffLimit: 6, completionMode: 'NonIndexed', suspend: false, podReplacementPolicy: 'TerminatingOrFailed' })
    expect(complete(batch.jobs, job({ parallelism: 2 })).spec.completions).toBeUndefined()
    expect(complete(batch.jobs, job({ completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 1 })).spec.backoffLimit).toBe(2147483647)
  })
  it('find their pods by their uid', () => {
    const { spec } = created(batch.jobs, job())
    expect(spec.selector).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': 'u-1' } })
    expect(spec.template.metadata.labels).toEqual({ 'batch.kubernetes.io/controller-uid': 'u-1', 'batch.kubernetes.io/job-name': 'once', 'controller-uid': 'u-1', 'job-name': 'once' })
    expect(createErrors(batch.jobs, job())).toEqual([])
  })
  it('have the labels of their pods, unless they have labels of their own', () => {
    expect(created(batch.jobs, job()).metadata.labels).toMatchObject({ 'batch.kubernetes.io/job-name': 'once' })
    const given = job()
    expect(created(batch.jobs, { ...given, metadata: { ...given.metadata, labels: { a: 'b' } } }).metadata.labels).toEqual({ a: 'b' })
  })
  it.each<[string, object, string[]]>([
    ['pods that restart always', { template: { spec: { containers: template.spec.containers } } }, ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']],
    ['an indexed job without end', { completionMode: 'Indexed', parallelism: 2 }, ['spec.completions: Required value: when completion mode is Indexed']],
    ['a negative limit', { backoffLimit: -1 }, ['spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0']],
    ['a selector of its own', { manualSelector: true }, ['spec.selector: Required value', 'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`']],
    ['a failure policy of restarting pods', { podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }] }, template: { spec: { ...template.spec, restartPolicy: 'OnFailure' } } },
      ['spec.podFailurePolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified']],
  ])('refuse %s', (_, spec, errors) => {
    expect(createErrors(batch.jobs, job(spec))).toEqual(errors)
  })
  it('keep their pods, and what they count', () => {
    const current = created(batch.jobs, job())
    const next = (spec: object) => updateErrors(batch.jobs, { ...job({ ...current.spec, ...spec }) }, current)
    expect(next({ parallelism: 3, suspend: true })).toEqual([])
    expect(next({ completions: 3 })).toEqual(['spec.completions: Invalid value: 3: field is immutable'])
    expect(next({ template: { ...current.spec.template, spec: { ...current.spec.template.spec, hostNetwork: true } } })[0]).toMatch(/^spec\.template: Invalid value: \{.*\}: field is immutable$/)
  })
  it('can be placed elsewhere before they start', () => {
    const current = created(batch.jobs, job({ suspend: true }))
    const moved = { ...current.spec, suspend: false, template: { ...current.spec.template, spec: { ...current.spec.template.spec, nodeSelector: { a: 'b' } } } }
    expect(updateErrors(batch.jobs, job(moved), current)).toEqual([])
    const begun = { ...current, status: { ...current.status, startTime: '2026-01-01T00:00:00Z' } }
    expect(updateErrors(batch.jobs, job(moved), begun)).toHaveLength(1)
  })
  const done = { startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:01:00Z', conditions: [{ type: 'SuccessCriteriaMet', status: 'True' }, { type: 'Complete', status: 'True' }] }
  it.each<[string, object, object, string[]]>([
    ['nothing', { active: 1 }, { active: 2, ready: 1, startTime: '2026-01-01T00:00:00Z' }, []],
    ['nothing: a job that is done', { active: 1, startTime: done.startTime }, { ...done, succeeded: 1 }, []],
    ['negative counts', {}, { active: -1, failed: -2, ready: -1 }, ['active: Invalid value: -1: must be greater than or equal to 0', 'failed: Invalid value: -2: must be greater than or equal to 0',
      'ready: Invalid value: -1: must be greater than or equal to 0', 'failed: Invalid value: -2: cannot decrease the failed counter']],
    ['pods twice or without uid', {}, { uncountedTerminatedPods: { succeeded: ['a', 'a'], failed: [''] } }, ['uncountedTerminatedPods.succeeded[1]: Duplicate value: "a"', 'uncountedTerminatedPods.failed[0]: Invalid value: "": must not be empty']],
    ['success and failure', {}, { ...done, conditions: [...done.conditions, { type: 'Failed', status: 'True' }, { type: 'FailureTarget', status: 'True' }] },
      ['Complete=True and Failed=true', 'Complete=True and FailureTarget=true', 'Failed=True and SuccessCriteriaMet=true', 'FailureTarget=true and SuccessCriteriaMet=true'].map((pair) => `conditions: Invalid value: cannot set ${pair} conditions`)],
    ['an end that is no end', {}, { completionTime: done.completionTime }, ['completionTime: Invalid value: "2026-01-01T00:01:00Z": cannot set completionTime when there is no Complete=True condition']],
    ['a sudden failure that still runs', {}, { active: 1, conditions: [{ type: 'Failed', status: 'True' }] },
      ['conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition', 'startTime: Required value: startTime is required for finished job', 'active: Invalid value: 1: active>0 is invalid for finished job']],
    ['what was done undone', { ...done, succeeded: 2 }, { succeeded: 1, startTime: done.startTime }, ['conditions: Invalid value: cannot disable the terminal Complete=True condition',
      'conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition', 'completionTime: Invalid value: null: field is immutable', 'succeeded: Invalid value: 1: cannot decrease the succeeded counter']],
    ['more ready than there are', {}, { active: 1, ready: 2 }, ['ready: Invalid value: 2: cannot set more ready pods than active']],
  ])('have wrong in their status: %s', (_, before, after, errors) => {
    const having = (status: object) => complete(batch.jobs, { ...job(), status })
    expect(statusErrors(strategyFor(batch.jobs as never, environment), having(after), having(before))).toEqual(errors.map((line) => `status.${line}`))
  })
  it('show how they stand', () => {
    const running = complete(batch.jobs, { ...job({ completions: 3 }), status: { succeeded: 1, startTime: '2026-01-01T11:59:00Z' } })
    expect(row(batch.jobs, running)).toMatchObject({ Status: 'Running', Completions: '1/3', Duration: '60s' })
    const done = complete(batch.jobs, { ...job(), status: { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }], startTime: '2026-01-01T11:00:00Z', completionTime: '2026-01-01T11:00:05Z' } })
    expect(row(batch.jobs, done)).toMatchObject({ Status: 'Complete', Completions: '1/1', Duration: '5s' })
  })
})

describe('cron jobs', () => {
  const cron = (spec: object = {}) => ({ metadata: { name: 'nightly', namespace: 'default' }, spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template } }, ...spec } })
  it('allow jobs side by side and keep three', () => {
    expect(createErrors(batch.cronjobs, cron())).toEqual([])
    const { spec } = complete(batch.cronjobs, cron())
    expect(spec).toMatchObject({ concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 })
    expect(spec.jobTemplate.spec).not.toHaveProperty('backoffLimit')
  })
  it.each<[string, object, string[]]>([
    ['no schedule', { schedule: '' }, ['spec.schedule: Required value']],
    ['a short schedule', { schedule: '* *' }, ['spec.schedule: Invalid value: "* *": expected exactly 5 fields, found 2: [* *]']],
    ['a time zone in the schedule', { schedule: 'TZ=UTC 0 3 * * *' }, ['spec.schedule: Invalid value: "TZ=UTC 0 3 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead']],
    ['an unknown time zone', { timeZone: 'Mars/Base' }, ['spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base']],
    ['a policy', { concurrencyPolicy: 'Maybe' }, ['spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"']],
    ['pods that restart always', { jobTemplate: { spec: { template: { spec: { containers: template.spec.containers } } } } }, ['spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']],
  ])('refuse %s', (_, spec, errors) => {
    expect(createErrors(batch.cronjobs, cron(spec))).toEqual(errors)
  })
  it.each(['*/5 * * * *', '0 0 1,15 * 1-5', '@hourly', '@every 1h30m', '0 12 * jan sun', '0-30/10 * ? * *'])('know %s', (text) => {
    expect(scheduleProblem(text)).toBeUndefined()
  })
  it.each(['60 * * * *', '* 24 * * *', '* * 0 * *', '5-1 * * * *', '*/0 * * * *', 'a * * * *', '@sometimes', '1/2/3 * * * *'])('refuse %s', (text) => {
    expect(scheduleProblem(text)).toBeTypeOf('string')
  })
  it('show when they run', () => {
    expect(row(batch.cronjobs, complete(batch.cronjobs, { ...cron(), status: { lastScheduleTime: '2026-01-01T11:50:00Z' } })))
      .toMatchObject({ Schedule: '0 3 * * *', Timezone: '<none>', Suspend: 'False', Active: 0, 'Last Schedule': '10m' })
  })
})
