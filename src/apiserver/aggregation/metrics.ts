/** Which API services cannot be reached, under kube-aggregator's names. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { apiregistration } from '../../api/index.ts'
import type { Verdict } from './availability.ts'
import { isAvailable } from './remotes.ts'

/** Registers the metrics; the gauge looks at the API services when it is read. Returns what counts a verdict that is new. */
export function countUnavailable(registry: Registry, services: () => readonly apiregistration.APIService[]): (name: string, verdict: Verdict) => void {
  const registers = [registry]
  const gauge = new Gauge({
    name: 'aggregator_unavailable_apiservice', help: 'Whether an API service is unavailable (1) or not (0).', labelNames: ['name'], registers,
    collect: () => {
      gauge.reset()
      for (const service of services()) gauge.set({ name: service.metadata.name ?? '' }, isAvailable(service) ? 0 : 1)
    },
  })
  const counter = new Counter({ name: 'aggregator_unavailable_apiservice_total', help: 'How often an API service became unavailable, by why.', labelNames: ['name', 'reason'], registers })
  return (name, { status, reason }) => {
    if (status === 'False') counter.inc({ name, reason })
  }
}
