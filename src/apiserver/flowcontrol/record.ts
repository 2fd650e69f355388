/** Metrics of flow control, under Kubernetes's names. Plain numbers per request; turned into metrics when they are read. */
import type { Level, Schema, Ticket } from './level.ts'
import type { Levels } from './levels.ts'
import type { Meters } from './meter.ts'

export type Refusal = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled'

/** Seconds. */
const waits = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]
const widths = [1, 2, 4, 8, 16, 32, 64, 100]
const lengths = [0, 10, 25, 50, 100, 250, 500, 1000]

interface Histogram { readonly bounds: readonly number[]; readonly counts: number[]; sum: number; total: number }
interface Counted { readonly level: string; readonly wait: Histogram; readonly execution: Readonly<Record<'regular' | 'watch', Histogram>>; readonly width: Histogram; readonly queued: Histogram; readonly refused: Map<Refusal, number>; dispatched: number; unaccommodated: number }

export interface Value { readonly value: number; readonly labels: Readonly<Record<string, string | number>>; readonly metricName?: string }
export interface PlainMetric { readonly name: string; readonly help: string; readonly type: 'counter' | 'gauge' | 'histogram'; values(): readonly Value[] }

export interface FlowRecord {
  /** A request of so many seats began after waiting so many milliseconds. */
  waited(schema: Schema, ms: number, seats: number): void
  executed(ticket: Pick<Ticket, 'schema' | 'info'>, ms: number): void
  /** A request was queued; the queue's length includes it. */
  queued(schema: Schema, length: number): void
  rejected(schema: Schema, reason: Refusal): void
  /** A request had to wait because not enough seats were free. */
  unaccommodated(schema: Schema): void
  /** `now` in milliseconds, of the same clock as the tickets' times. */
  metrics(levels: Pick<Levels, 'all' | 'fraction'>, now?: () => number): readonly PlainMetric[]
}

const kinds = ['regular', 'watch'] as const

const histogram = (bounds: readonly number[]): Histogram => ({ bounds, counts: bounds.map(() => 0), sum: 0, total: 0 })

function observe(h: Histogram, seconds: number): void {
  h.total++
  h.sum += seconds
  for (let i = 0; i < h.bounds.length; i++) {
    if (seconds > (h.bounds[i] as number)) continue
    ;(h.counts[i] as number)++
    return
  }
}

/** Buckets are cumulative in Prometheus. */
function bucketsOf(name: string, h: Histogram, labels: Value['labels']): Value[] {
  let below = 0
  const buckets = h.bounds.map((le, i) => ({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: (below += h.counts[i] as number) }))
  return [...buckets, { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: h.total }, { metricName: `${name}_sum`, labels, value: h.sum }, { metricName: `${name}_count`, labels, value: h.total }]
}

export function createRecord(): FlowRecord {
  const bySchema = new Map<string, Counted>()
  const of = ({ name, level }: Schema): Counted => {
    const before = bySchema.get(name)
    if (before?.level === level.name) return before
    const counted: Counted = { level: level.name, wait: histogram(waits), execution: { regular: histogram(waits), watch: histogram(waits) }, width: histogram(widths), queued: histogram(lengths), refused: new Map(), dispatched: 0, unaccommodated: 0 }
    bySchema.set(name, counted)
    return counted
  }
  const each = <T>(map: (labels: { readonly priority_level: string; readonly flow_schema: string }, counted: Counted) => readonly T[]): T[] =>
    [...bySchema].flatMap(([flow_schema, counted]) => map({ priority_level: counted.level, flow_schema }, counted))

  const perSchema = (): readonly PlainMetric[] => {
    const wait = 'apiserver_flowcontrol_request_wait_duration_seconds'
    const execution = 'apiserver_flowcontrol_request_execution_seconds'
    const width = 'apiserver_flowcontrol_work_estimated_seats'
    const length = 'apiserver_flowcontrol_request_queue_length_after_enqueue'
    return [
      { name: 'apiserver_flowcontrol_dispatched_requests_total', help: 'Requests that were let in.', type: 'counter', values: () => each((labels, c) => [{ labels, value: c.dispatched }]) },
      { name: 'apiserver_flowcontrol_rejected_requests_total', help: 'Requests that were turned away, by reason.', type: 'counter', values: () => each((labels, c) => [...c.refused].map(([reason, value]) => ({ labels: { ...labels, reason }, value }))) },
      { name: 'apiserver_flowcontrol_request_dispatch_no_accommodation_total', help: 'Requests that came when there were not enough seats for them.', type: 'counter', values: () => each((labels, c) => (c.unaccommodated > 0 ? [{ labels, value: c.unaccommodated }] : [])) },
      { name: wait, help: 'How long requests waited for their turn, in seconds.', type: 'histogram', values: () => each((labels, c) => bucketsOf(wait, c.wait, { ...labels, execute: 'true' })) },
      { name: execution, help: 'How long requests took after that, in seconds.', type: 'histogram', values: () => each((labels, c) => kinds.flatMap((type) => (c.execution[type].total > 0 ? bucketsOf(execution, c.execution[type], { ...labels, type }) : []))) },
      { name: length, help: 'How many requests were in a queue when one was added.', type: 'histogram', values: () => each((labels, c) => (c.queued.total > 0 ? bucketsOf(length, c.queued, labels) : [])) },
      { name: width, help: 'How many seats requests took.', type: 'histogram', values: () => each((labels, c) => bucketsOf(width, c.width, labels)) },
    ]
  }
  return {
    waited: (schema, ms, seats) => {
      const counted = of(schema)
      counted.dispatched++
      observe(counted.width, seats)
      observe(counted.wait, ms / 1000)
    },
    executed: ({ schema, info }, ms) => observe(of(schema).execution[info.verb === 'watch' ? 'watch' : 'regular'], ms / 1000),
    queued: (schema, length) => observe(of(schema).queued, length),
    rejected(schema, reason) {
      const { refused } = of(schema)
      refused.set(reason, (refused.get(reason) ?? 0) + 1)
    },
    unaccommodated: (schema) => void of(schema).unaccommodated++,
    metrics: ({ all, fraction }, now = () => performance.now()) => [...perSchema(), ...ofLevels(all), ...timed(all, now),
      { name: 'apiserver_flowcontrol_seat_fair_frac', help: 'The fraction of what it asked for that every level got.', type: 'gauge', values: () => [{ labels: {}, value: fraction() }] }],
  }
}

function ofLevels(levels: () => readonly Level[]): readonly PlainMetric[] {
  const gauge = (name: string, help: string, value: (level: Level) => number): PlainMetric =>
    ({ name: `apiserver_flowcontrol_${name}`, help, type: 'gauge', values: () => levels().map((level) => ({ labels: { priority_level: level.name }, value: value(level) })) })
  /** By schema too, as in Kubernetes. */
  const bySchema = (name: string, help: string, tickets: (level: Level) => readonly Ticket[], worth: (ticket: Ticket) => number): PlainMetric => ({
    name: `apiserver_flowcontrol_${name}`, help, type: 'gauge',
    values: () => levels().flatMap((level) => [...Map.groupBy(tickets(level), ({ schema }) => schema.name)]
      .map(([flow_schema, all]) => ({ labels: { priority_level: level.name, flow_schema }, value: all.reduce((sum, ticket) => sum + worth(ticket), 0) }))),
  })
  const waiting = (level: Level) => level.queues.flatMap((queue) => queue.waiting)
  const running = (level: Level) => [...level.running]
  const seats = ({ seats: taken }: Ticket) => taken
  return [
    bySchema('current_inqueue_requests', 'Requests that wait for their turn.', waiting, () => 1),
    bySchema('current_executing_requests', 'Requests under way.', running, () => 1),
    bySchema('current_inqueue_seats', 'Seats that are waited for.', waiting, seats),
    bySchema('current_executing_seats', 'Seats taken by requests under way.', running, seats),
    bySchema('request_concurrency_in_use', 'The same, under an older name.', running, seats),
    gauge('nominal_limit_seats', 'The level\'s share of all seats.', ({ limits }) => limits.nominal),
    gauge('request_concurrency_limit', 'The same, under an older name.', ({ limits }) => limits.nominal),
    gauge('lower_limit_seats', 'What it keeps however busy others are.', ({ limits }) => limits.min),
    gauge('upper_limit_seats', 'What it may have at most.', ({ limits }) => limits.max),
    gauge('current_limit_seats', 'What it may have now.', ({ current }) => current),
    gauge('demand_seats_high_watermark', 'The most seats that were wanted at once since they were last shared anew.', ({ peak }) => peak),
    gauge('demand_seats_average', 'The seats that were wanted on average before they were last shared anew.', ({ wanted }) => wanted.average),
    gauge('demand_seats_stdev', 'Their standard deviation.', ({ wanted }) => wanted.deviation),
    gauge('demand_seats_smoothed', 'What it would have used lately.', ({ demand }) => demand),
    gauge('target_seats', 'What it is to have if there is enough for all.', ({ demand, limits }) => Math.max(limits.min, demand)),
  ]
}

/** Usage over time: histograms that, as in Kubernetes, are observed at the end of every nanosecond. */
function timed(levels: () => readonly Level[], now: () => number): readonly PlainMetric[] {
  const one = (metric: string, help: string, parts: readonly (keyof Meters)[], labelled: boolean): PlainMetric => {
    const name = `apiserver_flowcontrol_${metric}`
    const values = () => levels().flatMap((level) => {
      level.meter.pass(level, now())
      const meters = level.meter.ratios(level)
      return parts.flatMap((part) => {
        const { bounds, buckets, sum } = meters[part]
        const total = buckets.reduce((all, n) => all + n, 0)
        return bucketsOf(name, { bounds, counts: buckets, sum, total }, { ...(labelled ? { phase: part === 'waiting' ? 'waiting' : 'executing' } : {}), priority_level: level.name })
      })
    })
    return { name, help, type: 'histogram', values }
  }
  return [
    one('priority_level_seat_utilization', 'For how long what part of the seats was taken.', ['seats'], true),
    one('priority_level_request_utilization', 'For how long how many requests waited or were under way, of those that may.', ['waiting', 'executing'], true),
    one('demand_seats', 'For how long how many seats were wanted, of the level\'s share.', ['demand'], false),
  ]
}
