/** `/metrics`: what the server counts about itself, under Kubernetes's names, in Prometheus's text format. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { versionInfo } from '../health/version.ts'
import type { Handler, RequestInfo } from '../http/request.ts'
import type { RequestObserver } from '../options.ts'
import { sendText } from '../reply.ts'

/** Seconds; Kubernetes's own buckets of apiserver_request_duration_seconds. */
const durations = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
const sizes = [1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000]

export interface ServerMetrics {
  readonly observer: RequestObserver
  readonly handler: Handler
  /** For what other parts count. */
  readonly registry: Registry
}

/** A registry with the request metrics and those of the process. Each server has its own. */
export function createMetrics(): ServerMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
  const registers = [registry]
  const where = ['verb', 'group', 'version', 'resource', 'subresource', 'scope'] as const
  const total = new Counter({ name: 'apiserver_request_total', help: 'Requests by verb, resource, scope and HTTP code.', labelNames: [...where, 'code', 'component', 'dry_run'], registers })
  const duration = new Histogram({ name: 'apiserver_request_duration_seconds', help: 'How long requests took, in seconds; watches and streams left out.', labelNames: [...where, 'component'], buckets: durations, registers })
  const size = new Histogram({ name: 'apiserver_response_sizes', help: 'Bytes of response bodies, by verb and resource.', labelNames: [...where, 'component'], buckets: sizes, registers })
  const inflight = new Gauge({ name: 'apiserver_current_inflight_requests', help: 'Requests under way, by whether they may change something.', labelNames: ['request_kind'], registers })
  const longRunning = new Gauge({ name: 'apiserver_longrunning_requests', help: 'Watches and streams under way.', labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'], registers })
  const build = new Gauge({ name: 'kubernetes_build_info', help: 'Always 1; the labels say what is running.', labelNames: ['major', 'minor', 'git_version', 'platform'], registers })
  build.set({ major: versionInfo.major, minor: versionInfo.minor, git_version: versionInfo.gitVersion, platform: versionInfo.platform }, 1)
  for (const kind of ['mutating', 'readOnly']) inflight.set({ request_kind: kind }, 0)

  return {
    registry,
    observer: {
      started(info) {
        if (isLongRunning(info)) longRunning.inc({ ...labelsOf(info, info.verb.toUpperCase()), component: 'apiserver' })
        else inflight.inc({ request_kind: kindOf(info) })
      },
      finished({ info, verb, code, seconds, bytes }) {
        const labels = { ...labelsOf(info, verb), component: 'apiserver' }
        total.inc({ ...labels, code: String(code) })
        if (isLongRunning(info)) return longRunning.dec({ ...labelsOf(info, info.verb.toUpperCase()), component: 'apiserver' })
        inflight.dec({ request_kind: kindOf(info) })
        duration.observe(labels, seconds)
        if (bytes > 0) size.observe(labels, bytes)
      },
    },
    handler: async (_, response) => sendText(response, 200, await registry.metrics(), registry.contentType),
  }
}

const streams = new Set(['log', 'exec', 'attach', 'portforward', 'proxy'])
const isLongRunning = (info: RequestInfo): boolean => info.verb === 'watch' || (info.isResourceRequest && streams.has(info.subresource))
const kindOf = (info: RequestInfo): string => (['get', 'list', 'head', 'options'].includes(info.verb) ? 'readOnly' : 'mutating')

function labelsOf(info: RequestInfo, verb: string) {
  const scope = info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : info.isResourceRequest ? 'cluster' : ''
  const { group, version, resource, subresource } = info.isResourceRequest ? info : { group: '', version: '', resource: '', subresource: pathLabel(info.path) }
  return { verb, group, version, resource, subresource, scope }
}

/** The first part of a path only: clients must not be able to make new time series at will. */
const pathLabel = (path: string): string => (/^\/(healthz|livez|readyz|metrics|version|openapi|api|apis)(\/|$)/.exec(path)?.[0] ?? '')
