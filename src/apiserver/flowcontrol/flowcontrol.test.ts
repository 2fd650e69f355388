import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../machinery/clock.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import type { ApiRequest, ApiResponse } from '../http/request.ts'
import type { Identity } from '../identity.ts'
import type { ServerEnvironment } from '../options.ts'
import { createCommitCount } from '../registry/commits.ts'
import { dumpHandler } from './dump.ts'
import { createFlowControl, type FlowControl } from './flowcontrol.ts'
import { createInflightLimit } from './inflight.ts'
import { mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas } from './objects.ts'
import { ask } from '../testing/ask.ts'

type Loose = { readonly metadata: { readonly name: string; readonly uid?: string }; readonly spec: object }

let clock: FakeClock
let levels: Loose[]
let schemas: Loose[]
let revision: number
let objects: number
let watchers: number
let time: number

const named = (list: readonly { readonly name: string; readonly spec: object }[]): Loose[] => list.map(({ name, spec }) => ({ metadata: { name, uid: `uid-${name}` }, spec }))

beforeEach(() => {
  clock = new FakeClock()
  levels = named([...mandatoryLevels, ...suggestedLevels])
  schemas = named([...mandatorySchemas, ...suggestedSchemas])
  revision = 1
  objects = 0
  watchers = 0
  time = 0
})

function start(seats = 600): FlowControl {
  const lister = ({ kind }: { readonly kind: string }) => ({ list: () => (kind === 'FlowSchema' ? schemas : levels), revision: () => revision })
  const env = { clock, lister, load: () => ({ objects, watchers }), commits: createCommitCount() } as unknown as ServerEnvironment
  return createFlowControl(env, { seats, now: () => time, busy: () => 1 })
}

const person = (name: string, ...groups: string[]): Identity => ({ name, groups: [...groups, 'system:authenticated'] })
const account = (namespace: string, name: string) => person(`system:serviceaccount:${namespace}:${name}`, 'system:serviceaccounts', `system:serviceaccounts:${namespace}`)

function request(user: Identity, method: string, url: string): ApiRequest & { abort(reason: unknown): void } {
  const { pathname, searchParams } = new URL(url, 'http://x')
  const asked = { user, method, early: [], query: searchParams, info: parseRequestInfo(method, pathname, searchParams), raw: { httpVersionMajor: 2 }, abort: (reason: unknown) => asked.onGone?.(reason) } as unknown as ApiRequest & { abort(reason: unknown): void }
  return asked
}

const pods = '/api/v1/namespaces/default/pods'

function headersOf(flow: FlowControl, user: Identity, method: string, url: string): Record<string, string> {
  const asked = request(user, method, url)
  void flow.enter(asked, {} as ApiResponse)
  return Object.fromEntries(asked.early.flatMap((name, i) => (i % 2 === 0 ? [[name, asked.early[i + 1]!]] : [])))
}

const schemaOf = (flow: FlowControl, user: Identity, method: string, url: string) => headersOf(flow, user, method, url)['x-kubernetes-pf-flowschema-uid']?.replace('uid-', '')

describe('a request is taken for', () => {
  it.each([
    [person('admin', 'system:masters'), 'GET', pods, 'exempt', 'exempt'],
    [person('ana'), 'GET', '/healthz', 'probes', 'exempt'],
    [{ name: 'system:anonymous', groups: ['system:unauthenticated'] }, 'GET', '/readyz', 'probes', 'exempt'],
    [{ name: 'system:anonymous', groups: ['system:unauthenticated'] }, 'GET', '/version', 'global-default', 'global-default'],
    [person('system:kube-scheduler'), 'PUT', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x', 'system-leader-election', 'leader-election'],
    [person('system:kube-scheduler'), 'POST', `${pods}/x/binding`, 'kube-scheduler', 'workload-high'],
    [person('system:kube-controller-manager'), 'PUT', '/api/v1/namespaces/a/endpoints/x', 'kube-controller-manager', 'workload-high'],
    [person('system:kube-controller-manager'), 'PUT', pods, 'kube-controller-manager', 'workload-high'],
    [person('system:node:a', 'system:nodes'), 'PATCH', '/api/v1/nodes/a/status', 'system-node-high', 'node-high'],
    [person('system:node:a', 'system:nodes'), 'PUT', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a', 'system-node-high', 'node-high'],
    [person('system:node:a', 'system:nodes'), 'GET', pods, 'system-nodes', 'system'],
    [account('kube-system', 'coredns'), 'GET', pods, 'kube-system-service-accounts', 'workload-high'],
    [account('default', 'operator'), 'GET', pods, 'service-accounts', 'workload-low'],
    [person('ana'), 'GET', pods, 'global-default', 'global-default'],
    [{ name: 'odd', groups: [] }, 'GET', pods, 'catch-all', 'catch-all'],
  ] as const)('%j %s %s', (user, method, url, schema, level) => {
    const headers = headersOf(start(), user, method, url)
    expect(headers).toEqual({ 'x-kubernetes-pf-flowschema-uid': `uid-${schema}`, 'x-kubernetes-pf-prioritylevel-uid': `uid-${level}` })
  })

  it('what the first schema says, by precedence and then by name, as soon as it says so', () => {
    const flow = start()
    const ana = person('ana')
    expect(schemaOf(flow, ana, 'GET', pods)).toBe('global-default')
    const mine = (name: string, verb: string) => ({
      metadata: { name, uid: `uid-${name}` },
      spec: { priorityLevelConfiguration: { name: 'system' }, matchingPrecedence: 700, rules: [{ subjects: [{ kind: 'User', user: { name: 'ana' } }], resourceRules: [{ verbs: [verb], apiGroups: [''], resources: ['pods'], namespaces: ['default'] }] }] },
    })
    schemas.push(mine('b', '*'), mine('a', 'get'))
    revision++
    expect(schemaOf(flow, ana, 'GET', `${pods}/x`)).toBe('a')
    expect(schemaOf(flow, ana, 'GET', pods)).toBe('b')
    expect(schemaOf(flow, ana, 'GET', `${pods}/x/status`)).toBe('global-default')
    expect(schemaOf(flow, ana, 'GET', '/api/v1/namespaces/other/pods')).toBe('global-default')
    expect(schemaOf(flow, ana, 'GET', '/api/v1/pods')).toBe('global-default')
  })

  it('nothing by a schema whose level is not there', () => {
    levels = levels.filter(({ metadata }) => metadata.name !== 'global-default')
    expect(schemaOf(start(), person('ana'), 'GET', pods)).toBe('catch-all')
  })

  it('what the mandatory objects say even while there are none', () => {
    levels = []
    schemas = []
    const flow = start()
    expect(flow.enter(request(person('ana'), 'GET', pods), undefined)).toBeTypeOf('function')
    expect(flow.levels.all().map(({ name }) => name)).toEqual(['catch-all', 'exempt'])
  })
})

/** Lets promises and the rounds of the event loop go on. */
const settle = async () => {
  for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('when seats are short', () => {
  const ana = person('ana')
  const bob = person('bob')
  const enter = (flow: FlowControl, user: Identity, url = `${pods}/x`) => flow.enter(request(user, 'GET', url), undefined)

  it('requests wait, and begin as others end', async () => {
    const flow = start(12)
    const level = flow.levels.all().find(({ name }) => name === 'global-default')!
    expect(level.current).toBe(1)
    const first = enter(flow, ana) as () => void
    const second = enter(flow, ana) as Promise<() => void>
    expect(second).toBeInstanceOf(Promise)
    let begun = false
    void second.then(() => (begun = true))
    await settle()
    expect(begun).toBe(false)
    expect(level.waiting).toBe(1)
    first()
    first()
    await settle()
    expect(begun).toBe(true)
    expect(level.waiting).toBe(0)
    expect(level.seats).toBe(1)
    ;(await second)()
    expect(level.seats).toBe(0)
  })

  it('a user with many waiting does not keep another from the next seat but one', async () => {
    const flow = start(12)
    const order: string[] = []
    const release: (() => void)[] = [enter(flow, ana) as () => void]
    const ask = (user: Identity) => void (enter(flow, user) as Promise<() => void>).then((free) => (order.push(user.name), release.push(free)))
    for (let i = 0; i < 40; i++) ask(ana)
    for (let i = 0; i < 3; i++) ask(bob)
    for (let i = 0; i < 12; i++) {
      await settle()
      time += 3
      release.shift()!()
    }
    await settle()
    // Ana has six queues, Bob has what is free of his: he gets one in seven at least.
    expect(order.slice(0, 8)).toContain('bob')
    expect(order.filter((name) => name === 'ana').length).toBeGreaterThan(3)
  })

  it('a full hand of queues turns the next away, with Retry-After', async () => {
    levels = levels.map((level) => (level.metadata.name === 'global-default' ? { ...level, spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, limitResponse: { type: 'Queue', queuing: { queues: 4, handSize: 2, queueLengthLimit: 3 } } } } } : level))
    const flow = start(12)
    enter(flow, ana)
    for (let i = 0; i < 6; i++) void (enter(flow, ana) as Promise<unknown>)
    const refused = enter(flow, ana) as Promise<unknown>
    await expect(refused).rejects.toMatchObject({ code: 429, reason: 'TooManyRequests', message: 'Too many requests, please try again later.', status: { details: { retryAfterSeconds: 1 } } })
    const metrics = flow.record.metrics(flow.levels)
    expect(metrics.find(({ name }) => name === 'apiserver_flowcontrol_rejected_requests_total')?.values()).toContainEqual({ labels: { priority_level: 'global-default', flow_schema: 'global-default', reason: 'queue-full' }, value: 1 })
    expect(metrics.find(({ name }) => name === 'apiserver_flowcontrol_request_dispatch_no_accommodation_total')?.values()).toContainEqual({ labels: { priority_level: 'global-default', flow_schema: 'global-default' }, value: 7 })
    for (const name of ['priority_level_seat_utilization', 'priority_level_request_utilization', 'demand_seats', 'demand_seats_average', 'demand_seats_stdev', 'seat_fair_frac']) expect(metrics.find((one) => one.name === `apiserver_flowcontrol_${name}`)?.values().length, name).toBeGreaterThan(0)
    expect(metrics.find(({ name }) => name === 'apiserver_flowcontrol_current_inqueue_requests')?.values()).toContainEqual({ labels: { priority_level: 'global-default', flow_schema: 'global-default' }, value: 6 })
    expect(metrics.find(({ name }) => name === 'apiserver_flowcontrol_request_queue_length_after_enqueue')?.values()).toContainEqual({ metricName: 'apiserver_flowcontrol_request_queue_length_after_enqueue_bucket', labels: { priority_level: 'global-default', flow_schema: 'global-default', le: 10 }, value: 6 })
  })

  it('a level that rejects lets nobody wait', async () => {
    const flow = start(12)
    const odd: Identity = { name: 'odd', groups: [] }
    const free = enter(flow, odd) as () => void
    await expect(enter(flow, odd)).rejects.toMatchObject({ code: 429 })
    free()
    expect(enter(flow, odd)).toBeTypeOf('function')
  })

  it('nobody waits longer than a quarter of the request\'s time', async () => {
    const flow = start(12)
    enter(flow, ana)
    const late = expect(enter(flow, ana)).rejects.toMatchObject({ code: 429 })
    await clock.advance(14_999)
    expect(flow.levels.all().find(({ name }) => name === 'global-default')!.waiting).toBe(1)
    await clock.advance(1)
    await late
    expect(flow.levels.all().find(({ name }) => name === 'global-default')).toMatchObject({ waiting: 0, counts: { timedOut: 1 } })
  })

  it('a client that leaves gives up its place in the queue', async () => {
    const flow = start(12)
    enter(flow, ana)
    const leaving = request(ana, 'GET', `${pods}/x`)
    const waiting = flow.enter(leaving, undefined) as Promise<unknown>
    leaving.abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
    expect(flow.levels.all().find(({ name }) => name === 'global-default')).toMatchObject({ waiting: 0, counts: { cancelled: 1 } })
  })

  it('administrators and streams pass', () => {
    const flow = start(12)
    for (let i = 0; i < 50; i++) {
      expect(enter(flow, person('admin', 'system:masters'))).toBeTypeOf('function')
      expect(enter(flow, ana, `${pods}/x/log?follow=true`)).toBeUndefined()
      expect(enter(flow, ana, `${pods}/x/exec`)).toBeUndefined()
    }
  })

  it('levels borrow what others do not use, after a while', async () => {
    const flow = start(120)
    for (let i = 0; i < 60; i++) void enter(flow, account('default', `a${i}`))
    const level = flow.levels.all().find(({ name }) => name === 'workload-low')!
    const before = level.current
    time += 10_000
    void enter(flow, ana)
    expect(level.current).toBeGreaterThan(before)
    expect(flow.levels.all().find(({ name }) => name === 'workload-high')!.current).toBeLessThan(20)
  })
})

describe('the width of', () => {
  const seatsOf = (flow: FlowControl, method: string, url: string) => {
    const user = account('default', 'wide')
    void flow.enter(request(user, method, url), undefined)
    return [...flow.levels.all().find(({ name }) => name === 'workload-low')!.running].at(-1)?.seats
  }
  it('a list grows with what there is to list', () => {
    objects = 450
    expect(seatsOf(start(), 'GET', pods)).toBe(5)
    expect(seatsOf(start(), 'GET', `${pods}?limit=100`)).toBe(1)
    expect(seatsOf(start(), 'GET', `${pods}?limit=100&labelSelector=a`)).toBe(5)
    expect(seatsOf(start(), 'GET', `${pods}/x`)).toBe(1)
    expect(seatsOf(start(), 'GET', `${pods}?watch=1&resourceVersion=7`)).toBe(1)
    expect(seatsOf(start(), 'GET', `${pods}?watch=1`)).toBe(5)
    objects = 1_000_000
    expect(seatsOf(start(), 'GET', pods)).toBe(10)
  })
  it('what was let in is counted', () => {
    objects = 450
    const flow = start()
    for (const url of [pods, `${pods}/x`]) void flow.enter(request(account('default', 'a'), 'GET', url), undefined)
    const seats = flow.record.metrics(flow.levels).find(({ name }) => name === 'apiserver_flowcontrol_work_estimated_seats')!.values()
    const labels = { priority_level: 'workload-low', flow_schema: 'service-accounts' }
    expect(seats).toContainEqual({ metricName: 'apiserver_flowcontrol_work_estimated_seats_bucket', labels: { ...labels, le: 1 }, value: 1 })
    expect(seats).toContainEqual({ metricName: 'apiserver_flowcontrol_work_estimated_seats_sum', labels, value: 6 })
    expect(seats).toContainEqual({ metricName: 'apiserver_flowcontrol_work_estimated_seats_count', labels, value: 2 })
  })
  it('a write is one seat, and more for a moment when many watch', async () => {
    watchers = 95
    const flow = start()
    const level = flow.levels.all().find(({ name }) => name === 'workload-low')!
    const free = flow.enter(request(account('default', 'a'), 'POST', pods), undefined) as () => void
    expect(level.seats).toBe(1)
    free()
    expect(level.seats).toBe(10)
    await clock.advance(1)
    expect(level.seats).toBe(0)
  })
})

it('shows its state as tables', async () => {
  const flow = start(12)
  void flow.enter(request(person('ana'), 'GET', `${pods}/x`), undefined)
  void flow.enter(request(person('ana'), 'GET', `${pods}/y`), undefined)
  const dump = dumpHandler(flow.levels.all, () => clock.now(), () => time)
  const place = '/debug/api_priority_and_fairness'
  const lines = async (path: string) => (await ask(dump, `${place}/${path}`)).text.trimEnd().split('\n').map((line) => line.split(/, */))
  const shown = await lines('dump_priority_levels')
  expect(shown[0]).toEqual(['PriorityLevelName', 'ActiveQueues', 'IsIdle', 'IsQuiescing', 'WaitingRequests', 'ExecutingRequests', 'DispatchedRequests', 'RejectedRequests', 'TimedoutRequests', 'CancelledRequests'])
  expect(shown.find(([name]) => name === 'global-default')).toEqual(['global-default', '2', 'false', 'false', '1', '1', '1', '0', '0', '0'])
  expect((await lines('dump_queues')).filter(([name]) => name === 'leader-election')).toHaveLength(16)
  const requests = await lines('dump_requests?includeRequestDetails=1')
  expect(requests).toHaveLength(3)
  expect(requests[2]?.slice(10)).toEqual(['ana', 'get', `${pods}/y`, 'default', 'y', 'v1', 'pods', ''])
  await expect(ask(dump, `${place}/other`)).rejects.toMatchObject({ code: 404 })
})

it('without fairness there are limits, for reads and for writes', () => {
  const limit = createInflightLimit({ reads: 2, writes: 1 })
  const enter = (user: Identity, method: string) => limit.enter(request(user, method, pods), undefined) as () => void
  const ana = person('ana')
  const first = enter(ana, 'GET')
  enter(ana, 'GET')
  enter(ana, 'POST')
  expect(() => enter(ana, 'GET')).toThrow('Too many requests, please try again later.')
  expect(() => enter(ana, 'POST')).toThrow('Too many requests')
  expect(enter(person('admin', 'system:masters'), 'GET')).toBeUndefined()
  first()
  first()
  enter(ana, 'GET')
  expect(() => enter(ana, 'GET')).toThrow('Too many requests')
})
