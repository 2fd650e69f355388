/** Sets up flow control by the server's options, with its metrics and debug tables. */
import type { Metric, Registry } from 'prom-client'
import { createYoungCollector } from '../../machinery/heap-growth.ts'
import type { EdgeRoutes, FlowEdge, ServerEnvironment } from '../options.ts'
import { dumpHandler } from './dump.ts'
import { createFlowControl } from './flowcontrol.ts'
import { createInflightLimit } from './inflight.ts'
import type { PlainMetric } from './record.ts'

/** kube-apiserver's flags of these names. */
export interface FlowOptions {
  /** `enable-priority-and-fairness`: fair queues, the default; otherwise fixed limits. */
  readonly fair?: boolean
  /** `max-requests-inflight`: 400. Both together are the seats of priority and fairness. */
  readonly maxRequests?: number
  /** `max-mutating-requests-inflight`: 200. */
  readonly maxMutating?: number
}

export interface FlowSetup {
  readonly edge: FlowEdge
  /** Adds the routes of flow control. */
  serve(routes: EdgeRoutes): EdgeRoutes
}

export const defaultFlow = { fair: true, maxRequests: 400, maxMutating: 200 } as const

const place = '/debug/api_priority_and_fairness/'

/** A metric whose values are collected when it is read. */
const metricOf = ({ name, help, type, values }: PlainMetric): Metric => ({ name, help, get: async () => ({ name, help, type, values: values(), aggregator: 'sum' }) }) as unknown as Metric

export function setUpFlowControl(env: ServerEnvironment, options: FlowOptions = {}, registry?: Pick<Registry, 'registerMetric'>): FlowSetup {
  const { fair, maxRequests, maxMutating } = { ...defaultFlow, ...options }
  if (!fair) return { edge: createInflightLimit({ reads: maxRequests, writes: maxMutating }), serve: (routes) => routes }
  const control = createFlowControl(env, { seats: Math.max(1, maxRequests + maxMutating), respite: createYoungCollector() })
  for (const metric of control.record.metrics(control.levels)) registry?.registerMetric(metricOf(metric))
  const dump = dumpHandler(control.levels.all, () => env.clock.now())
  return { edge: control, serve: (routes) => ({ ...routes, handle: (path) => (path.startsWith(place) ? dump : routes.handle(path)) }) }
}
