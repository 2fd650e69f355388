/**
 * Metrics that cost next to nothing where they are counted. prom-client takes labels apart and hashes them at each observation; here whoever
 * counts finds its series once by the labels' values, adds to plain numbers, and only a scrape makes metrics of them.
 */
import type { Metric, MetricValue, Registry } from 'prom-client'

/** How many observations fell into each bucket, not cumulated; the last one is for what is larger than all. */
export interface Distribution { readonly buckets: number[]; sum: number }

/** An empty histogram over the bounds, in the unit of what is observed. */
export const distribution = (bounds: readonly number[]): Distribution => ({ buckets: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 })

/** Adds `value` to the bucket that it falls into. */
export function observe(to: Distribution, bounds: readonly number[], value: number): void {
  let at = 0
  while (at < bounds.length && value > bounds[at]!) at++
  to.buckets[at]!++
  to.sum += value
}

type Values = MetricValue<string>[]

/** The lines of one distribution: cumulated buckets, sum and count. Nothing for one that was never observed. */
export function* histogramOf(name: string, bounds: readonly number[], labels: object, { buckets, sum }: Distribution): Generator<Values[number] & { readonly metricName: string }> {
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
export function register(registry: Registry, name: string, help: string, type: 'counter' | 'gauge' | 'histogram', values: () => Values): void {
  registry.registerMetric({ name, get: async () => ({ name, help, type, aggregator: 'sum', values: values() }) } as unknown as Metric)
}

interface Named<L extends string> {
  readonly name: string
  readonly help: string
  readonly labels: readonly L[]
}

/** Series by the values of their labels, in the order of `labels`; each is made once. */
function byLabels<S>(make: (values: readonly string[]) => S): { readonly all: Map<string, S>; find(values: readonly string[]): S } {
  const all = new Map<string, S>()
  return {
    all,
    find(values) {
      const key = values.join('\u0000')
      let series = all.get(key)
      if (series === undefined) all.set(key, (series = make(values)))
      return series
    },
  }
}

const labelled = <L extends string>(names: readonly L[], values: readonly string[]): Record<string, string> => Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']))

/** Adds to the series that the values of the labels name. */
export type Count = (values: readonly string[], by?: number) => void

/** A counter with labels. */
export function createCounter<L extends string>(registry: Registry, { name, help, labels }: Named<L>): Count {
  const { all, find } = byLabels((values) => ({ labels: labelled(labels, values), value: 0 }))
  register(registry, name, help, 'counter', () => [...all.values()].map(({ labels: of, value }) => ({ labels: of, value })))
  return (values, by = 1) => { find(values).value += by }
}

/** One series of a histogram. */
export type Observe = (value: number) => void

/** A histogram with labels: finds the series of the labels' values, to be kept by who observes often. */
export function createHistogram<L extends string>(registry: Registry, { name, help, labels, bounds }: Named<L> & { readonly bounds: readonly number[] }): (values: readonly string[]) => Observe {
  const { all, find } = byLabels((values) => {
    const of = distribution(bounds)
    return { labels: labelled(labels, values), of, observe: (value: number) => observe(of, bounds, value) }
  })
  register(registry, name, help, 'histogram', () => [...all.values()].flatMap((series) => [...histogramOf(name, bounds, series.labels, series.of)]))
  return (values) => find(values).observe
}
