/** `/metrics`: what the server counts about itself, under Kubernetes's names, in Prometheus's text format. */
import { Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import type { Resource } from '../../api/index.ts'
import { versionInfo } from '../health/version.ts'
import type { Handler, RequestInfo } from '../http/request.ts'
import { isLongRunning } from '../http/request-info.ts'
import type { RequestObserver } from '../options.ts'
import { sendText } from '../reply.ts'
import { createRequestMetrics, type RequestLabels } from './requests.ts'

export interface ServerMetrics {
  readonly observer: RequestObserver
  readonly handler: Handler
  /** For what other parts count. */
  readonly registry: Registry
}

/** A registry with the request metrics and those of the process. Each server has its own. Only what is among `resources` gets series of its own. */
export function createMetrics(resources: () => readonly Resource[]): ServerMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
  const registers = [registry]
  const seriesOf = createRequestMetrics(registry, (labels) => isServed(resources(), labels))
  const inflight = { mutating: 0, readOnly: 0 }
  const kinds = ['mutating', 'readOnly'] as const
  const underWay = new Gauge({
    name: 'apiserver_current_inflight_requests', help: 'Requests under way, by whether they may change something.', labelNames: ['request_kind'], registers,
    collect: () => kinds.forEach((kind) => underWay.set({ request_kind: kind }, inflight[kind])),
  })
  const longRunning = new Gauge({ name: 'apiserver_longrunning_requests', help: 'Watches and streams under way.', labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'], registers })
  const build = new Gauge({ name: 'kubernetes_build_info', help: 'Always 1; the labels say what is running.', labelNames: ['major', 'minor', 'git_version', 'platform'], registers })
  build.set({ major: versionInfo.major, minor: versionInfo.minor, git_version: versionInfo.gitVersion, platform: versionInfo.platform }, 1)

  return {
    registry,
    observer: {
      started(info) {
        if (isLongRunning(info)) longRunning.inc({ ...labelsOf(info, info.verb.toUpperCase()), component: 'apiserver' })
        else inflight[kindOf(info)]++
      },
      finished({ info, verb, code, seconds, spared = 0, dryRun = false, bytes }) {
        const series = seriesOf({ ...labelsOf(info, verb), dry_run: dryRun ? 'All' : '' })
        series.answered(code)
        if (isLongRunning(info)) return longRunning.dec({ ...labelsOf(info, info.verb.toUpperCase()), component: 'apiserver' })
        inflight[kindOf(info)]--
        series.took(seconds, spared, bytes)
      },
    },
    handler: async (_, response) => sendText(response, 200, await registry.metrics(), registry.contentType),
  }
}

const reading = new Set(['get', 'list', 'head', 'options'])
const kindOf = (info: RequestInfo) => (reading.has(info.verb) ? 'readOnly' : 'mutating')

function labelsOf(info: RequestInfo, verb: string): Omit<RequestLabels, 'dry_run'> {
  const scope = info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : info.isResourceRequest ? 'cluster' : ''
  const { group, version, resource, subresource } = info.isResourceRequest ? info : { group: '', version: '', resource: '', subresource: pathLabel(info.path) }
  return { verb, group, version, resource, subresource, scope }
}

/** Clients must not be able to make new time series at will: what is no resource is counted without its name. */
const isServed = (resources: readonly Resource[], { group, version, resource, subresource }: RequestLabels): boolean =>
  resource === '' || resources.some((r) => r.plural === resource && r.group === group && r.version === version && (subresource === '' || r.subresources.includes(subresource)))

/** The first part of a path only: clients must not be able to make new time series at will. */
const pathLabel = (path: string): string => (/^\/(healthz|livez|readyz|metrics|version|openapi|api|apis)(\/|$)/.exec(path)?.[0] ?? '')
