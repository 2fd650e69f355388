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
      ['spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified']],
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
      ['Complete=True and Failed=true', 'Complete=True and FailureTarget=true', 'SuccessCriteriaMet=True and Failed=true', 'SuccessCriteriaMet=True and FailureTarget=true'].map((pair) => `conditions: Invalid value: cannot set ${pair} conditions`)],
    ['an end that is no end', {}, { completionTime: done.completionTime }, ['completionTime: Invalid value: "2026-01-01T00:01:00Z": cannot set completionTime when there is no Complete=True condition']],
    ['a sudden failure that still runs', {}, { active: 1, conditions: [{ type: 'Failed', status: 'True' }] },
      ['conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition', 'active: Invalid value: 1: active>0 is invalid for finished job', 'startTime: Required value: startTime is required for finished job']],
    ['what was done undone', { ...done, succeeded: 2 }, { succeeded: 1, startTime: done.startTime }, ['conditions: Invalid value: cannot disable the terminal Complete=True condition',
      'succeeded: Invalid value: 1: cannot decrease the succeeded counter', 'conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition']],
    ['a pod that both succeeded and failed', {}, { uncountedTerminatedPods: { succeeded: ['a'], failed: ['a'] } }, ['uncountedTerminatedPods.failed[0]: Duplicate value: "a"']],
    ['another end than before', done, { ...done, completionTime: '2026-01-01T00:02:00Z' }, ['completionTime: Invalid value: "2026-01-01T00:02:00Z": completionTime cannot be mutated']],
    ['another beginning', { startTime: done.startTime }, { startTime: '2026-01-01T00:00:01Z' }, ['startTime: Required value: startTime cannot be removed for unsuspended job']],
    ['an end with pods on their way out', {}, { ...done, terminating: 1 }, ['terminating: Invalid value: 1: terminating>0 is invalid for finished job']],
    ['indexes of a job without', {}, { completedIndexes: '0', failedIndexes: '' }, ['completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
      'failedIndexes: Invalid value: "": cannot set non-null failedIndexes when backoffLimitPerIndex is null']],
    ['nothing: a change that leaves what was wrong as it was', { conditions: done.conditions, active: 1 }, { conditions: done.conditions, active: 1, ready: 1 }, []],
    ['more ready than there are', {}, { active: 1, ready: 2 }, ['ready: Invalid value: 2: cannot set more ready pods than active']],
  ])('have wrong in their status: %s', (_, before, after, errors) => {
    const having = (status: object) => complete(batch.jobs, { ...job(), status })
    expect(statusErrors(strategyFor(batch.jobs as never, environment), having(after), having(before))).toEqual(errors.map((line) => `status.${line}`))
  })
  it('of a job with indexes: each index once and in order, and fewer when it is made smaller', () => {
    const having = (status: object, spec: object = {}) => complete(batch.jobs, { ...job({ completionMode: 'Indexed', completions: 5, parallelism: 2, backoffLimitPerIndex: 1, ...spec }), status })
    const errors = (after: object, before: object = {}, spec: object = {}) => statusErrors(strategyFor(batch.jobs as never, environment), having(after, spec), having(before, spec))
    expect(errors({ completedIndexes: '0,2-3', failedIndexes: '1,4' })).toEqual([])
    expect(errors({ completedIndexes: '0-5' })).toEqual(['status.completedIndexes: Invalid value: "0-5": error parsing completedIndexes: too large index: "5"'])
    expect(errors({ completedIndexes: '2,1' })).toEqual(['status.completedIndexes: Invalid value: "2,1": error parsing completedIndexes: non-increasing order, previous: 2, current: 1'])
    expect(errors({ completedIndexes: '0-2', failedIndexes: '2-3' })).toEqual(['status.failedIndexes: Invalid value: "2-3": failedIndexes and completedIndexes overlap at index: 2'])
    expect(errors({ succeeded: 1 }, { succeeded: 2 })).toEqual(['status.succeeded: Invalid value: 1: cannot decrease the succeeded counter'])
    expect(errors({ succeeded: 1 }, { succeeded: 2 }, { parallelism: 5 })).toEqual([])
    expect(errors({ failed: 1 }, { failed: 2 }, { parallelism: 5 })).toEqual(['status.failed: Invalid value: 1: cannot decrease the failed counter'])
  })
  const indexed = { completionMode: 'Indexed', completions: 3, parallelism: 3 }
  const policy = (rule: object) => ({ podFailurePolicy: { rules: [rule] } })
  it.each<[string, object, string[]]>([
    ['labels of another job', { template: { ...template, metadata: { labels: { 'job-name': 'other' } } } }, ["spec.template.metadata.labels[job-name]: Invalid value: {\"controller-uid\":\"u-1\",\"job-name\":\"other\",\"batch.kubernetes.io/controller-uid\":\"u-1\",\"batch.kubernetes.io/job-name\":\"once\"}: must be 'once'"]],
    ['a selector of other pods', { selector: { matchLabels: { app: 'web' } }, template: { ...template, metadata: { labels: { app: 'web' } } } },
      ['spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"u-1","app":"web"}}: `selector` not auto-generated']],
    ['pods whose last has a bad name', { ...indexed, completions: 10 ** 9, parallelism: 1, name: 'x'.repeat(54) }, [`metadata.name: Invalid value: "${'x'.repeat(54)}": will not able to create pod with invalid DNS label: ${'x'.repeat(54)}-999999999`]],
    ['a rule without action', policy({ onExitCodes: { operator: '', values: [3, 2, 2] } }), ['spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
      'spec.podFailurePolicy.rules[0].onExitCodes.operator: Required value: valid values: ["In" "NotIn"]', 'spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 2', 'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,2,2]: must be ordered']],
    ['a rule about nothing', policy({ action: 'Count' }), ['spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required']],
    ['too many conditions', policy({ action: 'Count', onPodConditions: Array.from({ length: 21 }, () => ({ type: 'A' })) }), ['spec.podFailurePolicy.rules[0].onPodConditions: Too many: 21: must have at most 20 items']],
    ['success of pods without index', { successPolicy: { rules: [] } }, ['spec.successPolicy: Invalid value: {"rules":[]}: requires indexed completion mode']],
    ['success of indexes that there are not', { ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-3', succeededCount: 4 }] } }, ['spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-3": error parsing succeededIndexes: too large index: "3"',
      'spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)',
      'spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 0 (the number of indexes in the specified succeededIndexes field)']],
    ['success of indexes in disorder', { ...indexed, successPolicy: { rules: [{ succeededIndexes: '2,0' }] } }, ['spec.successPolicy.rules[0].succeededIndexes: Invalid value: "2,0": error parsing succeededIndexes: non-increasing order, previous: 2, current: 0']],
    ['many indexes without a limit', { ...indexed, completions: 100001, backoffLimitPerIndex: 1 }, ['spec.maxFailedIndexes: Required value: must be specified when completions is above 100000']],
    ['an empty manager', { managedBy: '' }, ['spec.managedBy: Required value']],
    ['a manager without a domain', { managedBy: '/x' }, ['spec.managedBy: Invalid value: "/x": must be a domain-prefixed path (such as "acme.io/foo")']],
  ])('refuse %s', (_, { name = 'once', ...spec }: { name?: string }, errors) => {
    expect(createErrors(batch.jobs, { ...job(spec), metadata: { ...job().metadata, name } })).toEqual(errors)
  })
  it('may have a manager with a path', () => expect(createErrors(batch.jobs, job({ managedBy: 'acme.io/jobs/v2' }))).toEqual([]))
  it('can be placed and sized elsewhere while they are suspended and none of their pods runs', () => {
    const begun = { startTime: '2026-01-01T00:00:00Z', conditions: [{ type: 'Suspended', status: 'True' }] }
    const having = (status: object) => ({ ...created(batch.jobs, job({ suspend: true })), status } as batch.Job)
    const next = (status: object, spec: object) => {
      const current = having(status)
      return updateErrors(batch.jobs, job({ ...current.spec, template: { ...current.spec.template, spec: { ...current.spec.template.spec, ...spec } } }), current).length
    }
    const sized = { containers: [{ ...having({}).spec.template.spec.containers[0], resources: { limits: { cpu: '2' } } }] }
    expect(next(begun, sized)).toBe(0)
    expect(next({ ...begun, active: 1 }, sized)).toBe(1)
    expect(next({ startTime: begun.startTime }, sized)).toBe(1)
    expect(next({}, { affinity: { nodeAffinity: {} } })).toBe(0)
    expect(next({}, { affinity: { podAntiAffinity: {} } })).toBe(1)
  })
  it('are warned of names that are no hosts, and of more indexes than can be kept', () => {
    const warnings = (written: object, current?: batch.Job) => strategyFor(batch.jobs as never, environment).warnings?.(complete(batch.jobs, written) as never, current as never) ?? []
    expect(warnings(job())).toEqual([])
    expect(warnings({ ...job(), metadata: { name: 'a.b' } })[0]).toMatch(/^metadata\.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: \[a lowercase RFC 1123 label/)
    expect(warnings(job({ ...indexed, completions: 200000, parallelism: 20000 }))[0]).toMatch(/^spec: In Indexed Jobs/)
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
  it.each(['Local', 'local', 'utc', 'europe/berlin', '+01:00', 'Europe//Berlin', '../Europe/Berlin'])('refuse the time zone %s', (timeZone) => {
    expect(createErrors(batch.cronjobs, cron({ timeZone }))[0]).toMatch(/^spec\.timeZone: Invalid value: /)
  })
  it('may keep a time zone in the schedule that they had, but not beside another', () => {
    const current = complete(batch.cronjobs, cron({ schedule: 'TZ=UTC 0 3 * * *' }))
    expect(updateErrors(batch.cronjobs, cron({ schedule: 'CRON_TZ=Europe/Berlin 0 4 * * *' }), current)).toEqual([])
    expect(updateErrors(batch.cronjobs, cron({ schedule: 'TZ=UTC 0 4 * * *', timeZone: 'Etc/UTC' }), current)).toEqual(['spec.schedule: Invalid value: "TZ=UTC 0 4 * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule'])
  })
  it('mean conditions that are true in a policy of failures', () => {
    const rules = [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }]
    expect(createErrors(batch.cronjobs, cron({ jobTemplate: { spec: { template, podFailurePolicy: { rules } } } }))).toEqual([])
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
