/**
 * How many events are written in a second: by all, in a namespace, by a user, or about one thing by one source. What is too much gets 429, and the
 * store stays small. Off by default. Events of both API groups count: they are the same objects.
 */
import type { core } from '../../../api/index.ts'
import { int32, list, root, string, struct, zero } from '../../../api/schema.ts'
import type { Clock } from '../../../machinery/clock.ts'
import { parseConfiguration } from '../../../machinery/configuration.ts'
import { ApiError } from '../../../machinery/errors.ts'
import { path } from '../../../machinery/field.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'

const Limit = struct('Limit', { type: zero(0, string), qps: zero(0, int32), burst: zero(0, int32), cacheSize: zero(0, int32) })
const Configuration = root('Configuration', { limits: zero(0, list(Limit)) })

const keys = {
  Server: () => '',
  Namespace: (a: AdmissionAttributes) => a.namespace,
  SourceAndObject: (a: AdmissionAttributes) => {
    const { source, involvedObject: about } = a.object as unknown as core.Event
    return [source?.component, source?.host, about?.kind, about?.namespace, about?.name, about?.uid, about?.apiVersion].join('')
  },
  User: (a: AdmissionAttributes) => a.context.user.name,
} as const

export interface EventLimit {
  readonly type: keyof typeof keys
  /** Events in a second, once `burst` of them were written at once. */
  readonly qps: number
  readonly burst: number
  /** How many namespaces, users or things are remembered; those that were heard of longest ago are forgotten, and may burst again. */
  readonly cacheSize: number
}

const remembered = 4096

/** Throws an `Error` of one line that names what is wrong. */
export function parseEventRateLimit(text: string): readonly EventLimit[] {
  const { value, refuse } = parseConfiguration(text, Configuration, { apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1', kind: 'Configuration' })
  const limits = value.limits ?? []
  const at = path('limits')
  if (limits.length === 0) refuse([at.invalid([], 'must not be empty')])
  refuse(limits.flatMap(({ type = '', qps = 0, burst = 0, cacheSize = 0 }, i) => [
    ...(Object.hasOwn(keys, type) ? [] : [at.index(i).at('type').notSupported(type, Object.keys(keys).toSorted())]),
    ...(burst > 0 ? [] : [at.index(i).at('burst').invalid(burst, 'must be positive')]),
    ...(qps > 0 ? [] : [at.index(i).at('qps').invalid(qps, 'must be positive')]),
    ...(cacheSize < 0 && type !== 'Server' ? [at.index(i).at('cacheSize').invalid(cacheSize, 'must not be negative')] : []),
  ]))
  return limits.map(({ type, qps = 0, burst = 0, cacheSize = 0 }) => ({ type: type as EventLimit['type'], qps, burst, cacheSize: cacheSize > 0 ? cacheSize : remembered }))
}

/** The plugin EventRateLimit. Throws `ApiError` 429 when one of the limits is reached. */
export function eventRateLimit(env: { readonly clock: Pick<Clock, 'now'> }, limits: readonly EventLimit[] = []): AdmissionPlugin {
  const buckets = limits.map((limit) => ({ limit, passes: bucketsOf(limit, env.clock) }))
  return {
    name: 'EventRateLimit',
    handles: (a) => (a.operation === 'CREATE' || a.operation === 'UPDATE') && a.resource.kind === 'Event' && (a.resource.group === '' || a.resource.group === 'events.k8s.io') && !a.context.dryRun,
    validate(a) {
      // Each limit counts the event, also when another one refuses it.
      const errors = buckets.flatMap(({ limit: { type }, passes }) => {
        const key = keys[type](a)
        return passes(key) ? [] : [`limit reached on type ${type} for key ${key}`]
      })
      if (errors.length > 0) throw new ApiError(429, 'TooManyRequests', `Too many requests: ${errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`}`)
    },
  }
}

/** A bucket for each key: full at first, refilled by the second. Says whether there is something in it, and takes it. */
function bucketsOf({ qps, burst, cacheSize }: EventLimit, clock: Pick<Clock, 'now'>): (key: string) => boolean {
  const known = new Map<string, { readonly left: number; readonly at: number }>()
  return (key) => {
    const now = clock.now()
    const { left, at } = known.get(key) ?? { left: burst, at: now }
    const here = Math.min(burst, left + Math.max(0, now - at) * qps / 1000)
    // The one used last stands last.
    known.delete(key)
    if (known.size >= cacheSize) known.delete(known.keys().next().value as string)
    known.set(key, { left: here >= 1 ? here - 1 : here, at: now })
    return here >= 1
  }
}
