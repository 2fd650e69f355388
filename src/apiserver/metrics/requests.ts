/**
 * The counters that every request moves. prom-client takes its labels apart and hashes them at each observation; here a request
 * finds its series once, adds to plain numbers, and only a scrape makes metrics of them.
 */
import type { Metric, MetricValue, Registry } from 'prom-client'

/** Which requests are counted together. */
export interface RequestLabels {
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly scope: string
}

/** Seconds; Kubernetes's own buckets of apiserver_request_duration_seconds. */
const durations = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
const sizes = [1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000]

/** How many observations fell into each bucket, not cumulated; the last one is for what is larger than all. */
interface Distribution { readonly buckets: number[]; sum: number }

const distribution = (bounds: readonly number[]): Distribution => ({ buckets: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 })

function observe(to: Distribution, bounds: readonly number[], value: number): void {
  let at = 0
  while (at < bounds.length && value > bounds[at]!) at++
  to.buckets[at]!++
  to.sum += value
}

/** What is counted of the requests with the same labels. */
export interface RequestSeries {
  /** A request that was answered with `code`. */
  answered(code: number): void
  /** How long it took, in seconds, and the bytes of its answer, 0 where they are not known. */
  took(seconds: number, bytes: number): void
}

interface Series extends RequestSeries { readonly labels: RequestLabels; readonly codes: Map<number, number>; readonly duration: Distribution; readonly size: Distribution }

function createSeries(labels: RequestLabels): Series {
  const codes = new Map<number, number>()
  const duration = distribution(durations)
  const size = distribution(sizes)
  return {
    labels, codes, duration, size,
    answered: (code) => void codes.set(code, (codes.get(code) ?? 0) + 1),
    took(seconds, bytes) {
      observe(duration, durations, seconds)
      if (bytes > 0) observe(size, sizes, bytes)
    },
  }
}

type Values = MetricValue<string>[]

/** The lines of one distribution: cumulated buckets, sum and count. Nothing for one that was never observed. */
function* histogramOf(name: string, bounds: readonly number[], labels: object, { buckets, sum }: Distribution): Generator<Values[number] & { readonly metricName: string }> {
  let count = 0
  const bucket = (le: string) => ({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: count })
  const total = buckets.reduce((a, b) => a + b, 0)
  if (total === 0) return
  for (const [i, bound] of bounds.entries()) {
    count += buckets[i]!
    yield bucket(String(bound))
  }
  count = total
  yield bucket('+Inf')
  yield { metricName: `${name}_sum`, labels: { ...labels }, value: sum }
  yield { metricName: `${name}_count`, labels: { ...labels }, value: total }
}

/** Registers a metric whose values are made when somebody scrapes. */
function register(registry: Registry, name: string, help: string, type: 'counter' | 'histogram', values: () => Values): void {
  registry.registerMetric({ name, get: async () => ({ name, help, type, aggregator: 'sum', values: values() }) } as unknown as Metric)
}

/** The request metrics of a server. The function finds the series of a request by its labels; those that are not `known` share one per verb. */
export function createRequestMetrics(registry: Registry, known: (labels: RequestLabels) => boolean): (labels: RequestLabels) => RequestSeries {
  const all = new Map<string, Series>()
  const component = 'apiserver'
  const histogram = (name: string, bounds: readonly number[], of: (series: Series) => Distribution) => () =>
    [...all.values()].flatMap((series) => [...histogramOf(name, bounds, { ...series.labels, component }, of(series))])
  register(registry, 'apiserver_request_total', 'Requests by verb, resource, scope and HTTP code.', 'counter', () =>
    [...all.values()].flatMap(({ labels, codes }) => [...codes].map(([code, value]) => ({ labels: { ...labels, component, code: String(code) }, value }))))
  register(registry, 'apiserver_request_duration_seconds', 'How long requests took, in seconds; watches and streams left out.', 'histogram',
    histogram('apiserver_request_duration_seconds', durations, ({ duration }) => duration))
  register(registry, 'apiserver_response_sizes', 'Bytes of response bodies, by verb and resource.', 'histogram', histogram('apiserver_response_sizes', sizes, ({ size }) => size))
  const find = (labels: RequestLabels): Series => {
    const { verb, group, version, resource, subresource, scope } = labels
    const key = `${verb} ${group}/${version}/${resource}/${subresource} ${scope}`
    const before = all.get(key)
    if (before) return before
    if (!known(labels)) return find({ verb, group: '', version: '', resource: '', subresource: '', scope: '' })
    const series = createSeries(labels)
    all.set(key, series)
    return series
  }
  return find
}
