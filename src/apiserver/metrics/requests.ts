/** The counters that every request moves: a request finds its series once, and adds to plain numbers. */
import type { Registry } from 'prom-client'
import { distribution, histogramOf, observe, register, type Distribution } from './series.ts'

/** Which requests are counted together. */
export interface RequestLabels {
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly scope: string
  /** `All` for what is only tried. */
  readonly dry_run: string
}

/** Seconds; Kubernetes's own buckets of apiserver_request_duration_seconds. */
const durations = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
/** The same of apiserver_request_sli_duration_seconds. */
const indicators = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
const sizes = [1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000]

/** What is counted of the requests with the same labels. */
export interface RequestSeries {
  /** A request that was answered with `code`. */
  answered(code: number): void
  /** How long it took, in seconds, how much of that was waiting for webhooks and for its turn, and the bytes of its answer, 0 where they are not known. */
  took(seconds: number, spared: number, bytes: number): void
}

interface Series extends RequestSeries { readonly labels: RequestLabels; readonly codes: Map<number, number>; readonly duration: Distribution; readonly indicator: Distribution; readonly size: Distribution }

function createSeries(labels: RequestLabels): Series {
  const codes = new Map<number, number>()
  const duration = distribution(durations)
  const indicator = distribution(indicators)
  const size = distribution(sizes)
  return {
    labels, codes, duration, indicator, size,
    answered: (code) => void codes.set(code, (codes.get(code) ?? 0) + 1),
    took(seconds, spared, bytes) {
      observe(duration, durations, seconds)
      observe(indicator, indicators, Math.max(0, seconds - spared))
      if (bytes > 0) observe(size, sizes, bytes)
    },
  }
}

/** The request metrics of a server. The function finds the series of a request by its labels; those that are not `known` share one per verb. */
export function createRequestMetrics(registry: Registry, known: (labels: RequestLabels) => boolean): (labels: RequestLabels) => RequestSeries {
  const all = new Map<string, Series>()
  const component = 'apiserver'
  const histogram = (name: string, bounds: readonly number[], of: (series: Series) => Distribution, dry = false) => () =>
    [...all.values()].flatMap((series) => {
      const { dry_run, ...labels } = series.labels
      return [...histogramOf(name, bounds, { ...labels, ...(dry ? { dry_run } : {}), component }, of(series))]
    })
  register(registry, 'apiserver_request_total', 'Requests by verb, resource, scope and HTTP code.', 'counter', () =>
    [...all.values()].flatMap(({ labels, codes }) => [...codes].map(([code, value]) => ({ labels: { ...labels, component, code: String(code) }, value }))))
  register(registry, 'apiserver_request_duration_seconds', 'How long requests took, in seconds; watches and streams left out.', 'histogram',
    histogram('apiserver_request_duration_seconds', durations, ({ duration }) => duration, true))
  register(registry, 'apiserver_request_sli_duration_seconds', 'The same without what webhooks took, and without the wait for a turn.', 'histogram',
    histogram('apiserver_request_sli_duration_seconds', indicators, ({ indicator }) => indicator))
  register(registry, 'apiserver_response_sizes', 'Bytes of response bodies, by verb and resource.', 'histogram', histogram('apiserver_response_sizes', sizes, ({ size }) => size))
  const find = (labels: RequestLabels): Series => {
    const { verb, group, version, resource, subresource, scope, dry_run } = labels
    const key = `${verb} ${group}/${version}/${resource}/${subresource} ${scope} ${dry_run}`
    const before = all.get(key)
    if (before) return before
    if (!known(labels)) return find({ verb, group: '', version: '', resource: '', subresource: '', scope: '', dry_run: '' })
    const series = createSeries(labels)
    all.set(key, series)
    return series
  }
  return find
}
