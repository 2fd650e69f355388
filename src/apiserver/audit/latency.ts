/** Where the time of a slow request went, for audit: https://kubernetes.io/docs/reference/labels-annotations-taints/audit-annotations/. */
import { formatDuration } from '../../machinery/time.ts'

/** The parts of a request's way that are told apart. */
export type Stretch = 'authentication' | 'impersonation' | 'apf-queue-wait' | 'authorization' | 'mutating-webhook' | 'validating-webhook'

/** How long each took, in milliseconds. */
export type Stretches = Map<Stretch, number>

/** Requests that take no longer than this are not worth a word; milliseconds. */
const threshold = 500

/** Adds to what was spent. Validating webhooks are asked side by side: the slowest counts. */
export function spend(stretches: Stretches, stretch: Stretch, ms: number): void {
  const before = stretches.get(stretch) ?? 0
  stretches.set(stretch, stretch === 'validating-webhook' ? Math.max(before, ms) : before + ms)
}

const textOf = (ms: number): string => formatDuration(BigInt(Math.round(ms * 1e6)))

/** The annotations of a request that took `total` milliseconds; none when that was not long. */
export function latencyAnnotations(stretches: Stretches | undefined, total: number): readonly (readonly [key: string, value: string])[] {
  if (total <= threshold || !stretches) return []
  return [...stretches, ['total', total] as const].map(([name, ms]) => [`apiserver.latency.k8s.io/${name}`, textOf(ms)] as const)
}
