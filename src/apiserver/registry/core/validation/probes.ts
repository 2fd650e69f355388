/** Probes and lifecycle hooks: what is run, fetched or connected to, and how often. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { httpHeaderName, portName } from '../../../../machinery/names.ts'
import { exactlyOne, follows, forEach, named, notNegative, oneOfThese, port } from '../../checks.ts'

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'] as const
const hookHandlers = ['exec', 'httpGet', 'tcpSocket', 'sleep'] as const
const numbers = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const
const schemes = ['HTTP', 'HTTPS']
const oneHandler = { none: 'must specify a handler type', many: 'may not specify more than 1 handler type' }

export type ProbeName = 'livenessProbe' | 'readinessProbe' | 'startupProbe'

/** A probe; liveness and startup probes succeed at the first success, readiness probes have no grace period of their own. */
export function probe(at: Place, value: core.Probe, name: ProbeName): void {
  const { exec, grpc, httpGet, tcpSocket } = value
  exactlyOne(at, value, handlers, oneHandler)
  handler(at, value)
  if (grpc && !exec && !httpGet && !tcpSocket) port(at.at('grpc').at('port'), grpc.port)
  for (const field of numbers) if ((value[field] ?? 0) < 0) notNegative(at.at(field), value[field])
  const grace = value.terminationGracePeriodSeconds
  if (grace !== undefined && grace <= 0) at.at('terminationGracePeriodSeconds').invalid(grace, 'must be greater than 0')
  if (name === 'readinessProbe') {
    if (grace !== undefined) at.at('terminationGracePeriodSeconds').invalid(grace, 'must not be set for readinessProbes')
  } else if (value.successThreshold !== 1) at.at('successThreshold').invalid(value.successThreshold ?? 0, 'must be 1')
}

/** What runs at the start or before the end of a container. */
export function hook(at: Place, value: core.LifecycleHandler, gracePeriodSeconds: number): void {
  const { exec, httpGet, sleep, tcpSocket } = value
  exactlyOne(at, value, hookHandlers, oneHandler)
  handler(at, value)
  if (sleep && !exec && !httpGet && !tcpSocket && (sleep.seconds < 0 || sleep.seconds > gracePeriodSeconds)) {
    at.at('sleep').invalid(sleep.seconds, `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriodSeconds})`)
  }
}

type Handler = Pick<core.LifecycleHandler, 'exec' | 'httpGet' | 'tcpSocket'>

/** Of several handlers the first is looked at; the others are refused anyway. */
function handler(at: Place, { exec, httpGet, tcpSocket }: Handler): void {
  if (exec) {
    if (!exec.command?.length) at.at('exec').at('command').required()
  } else if (httpGet) httpAction(at.at('httpGet'), httpGet)
  else if (tcpSocket) portOrName(at.at('tcpSocket').at('port'), tcpSocket.port)
}

function httpAction(at: Place, action: core.HTTPGetAction): void {
  named(at.at('path'), action.path)
  portOrName(at.at('port'), action.port)
  oneOfThese(at.at('scheme'), action.scheme, schemes)
  if (action.httpHeaders) forEach(at.at('httpHeaders'), action.httpHeaders, (header: core.HTTPHeader) => follows(at.at('httpHeaders'), header.name, httpHeaderName))
}

/** A port's number, or the name that a container gives it. */
export function portOrName(at: Place, value: number | string): void {
  if (typeof value === 'number') port(at, value)
  else follows(at, value, portName)
}
