/**
 * A server elsewhere says whether the images of a pod may run: an `imagepolicy.k8s.io/v1alpha1 ImageReview` goes out, and what is answered holds for a
 * while. Off by default. Kubernetes also marks pods that were let in unasked with an annotation of their own; here audit alone is told.
 */
import type { core } from '../../../api/index.ts'
import type { Clock } from '../../../machinery/clock.ts'
import type { Logger } from '../../../machinery/log.ts'
import { parseYaml } from '../../../machinery/yaml.ts'
import { withBackoff } from '../../backoff.ts'
import type { Post } from '../../remote.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { isPod, podOf, refused } from '../pods.ts'

/** All times are milliseconds. */
export interface ImagePolicy {
  /** The kubeconfig that says where the server is and who asks. */
  readonly kubeConfigFile: string
  /** How long an answer holds; 0: it is not kept. */
  readonly allowTtl: number
  readonly denyTtl: number
  /** Before the second attempt; later ones wait longer. */
  readonly retryBackoff: number
  /** Whether pods are let in when the server cannot be asked. */
  readonly defaultAllow: boolean
}

const [second, minute] = [1000, 60_000]
const largestAge = 30 * minute
/** How many answers are kept. */
const most = 1024
const timeout = 30_000
const failedOpen = 'imagepolicywebhook.image-policy.k8s.io/failed-open'

/** Reads `imagePolicy`. Times of answers are in seconds there and the backoff in milliseconds; 0 is the default, -1 nothing. Throws an `Error` of one line. */
export function parseImagePolicy(text: string): ImagePolicy {
  const { imagePolicy } = (parseYaml(text) ?? {}) as { readonly imagePolicy?: Readonly<Record<string, unknown>> }
  if (typeof imagePolicy !== 'object' || imagePolicy === null || Array.isArray(imagePolicy)) throw new Error('imagePolicy: Required value')
  const { kubeConfigFile, allowTTL, denyTTL, retryBackoff, defaultAllow = false, ...others } = imagePolicy
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new Error(`imagePolicy.${unknown}: unknown field`)
  if (typeof kubeConfigFile !== 'string' || kubeConfigFile === '') throw new Error('imagePolicy.kubeConfigFile: Required value')
  if (typeof defaultAllow !== 'boolean') throw new Error('imagePolicy.defaultAllow: it must be true or false')
  return {
    kubeConfigFile, defaultAllow,
    allowTtl: timeOf('allowTTL', allowTTL, { unit: second, normal: 5 * minute, low: second, high: largestAge }),
    denyTtl: timeOf('denyTTL', denyTTL, { unit: second, normal: 30 * second, low: second, high: largestAge }),
    retryBackoff: timeOf('retryBackoff', retryBackoff, { unit: 1, normal: 500, low: 0, high: 5 * minute }),
  }
}

function timeOf(name: string, value: unknown, { unit, normal, low, high }: { readonly unit: number; readonly normal: number; readonly low: number; readonly high: number }): number {
  if (value === undefined || value === null || value === 0) return normal
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new Error(`imagePolicy.${name}: it must be a whole number`)
  if (value === -1) return 0
  const time = value * unit
  if (time < low || time > high) throw new Error(`imagePolicy.${name}: valid value is between ${low} ms and ${high} ms, got ${time} ms`)
  return time
}

interface Status { readonly allowed?: boolean; readonly reason?: string; readonly auditAnnotations?: Readonly<Record<string, string>> }

/** `post` reaches the server of the policy's kubeconfig. */
export function imagePolicyWebhook({ clock, log }: { readonly clock: Clock; readonly log: Logger }, { allowTtl, denyTtl, retryBackoff, defaultAllow }: ImagePolicy, post: Post): AdmissionPlugin {
  const known = new Map<string, { readonly status: Status; readonly until: number }>()
  const ask = async (spec: object): Promise<Status> => {
    const key = JSON.stringify(spec)
    const kept = known.get(key)
    if (kept && kept.until > clock.now()) return kept.status
    const review = { kind: 'ImageReview', apiVersion: 'imagepolicy.k8s.io/v1alpha1', metadata: { creationTimestamp: null }, spec, status: { allowed: false } }
    const { status } = (await withBackoff(clock, () => post(review, { timeout }), retryBackoff)) as { readonly status?: Status }
    if (typeof status !== 'object' || status === null) throw new Error('the image policy webhook answered without a status')
    known.delete(key)
    if (known.size >= most) known.delete(known.keys().next().value as string)
    known.set(key, { status, until: clock.now() + (status.allowed === true ? allowTtl : denyTtl) })
    return status
  }
  return {
    name: 'ImagePolicyWebhook',
    handles: (a) => (a.operation === 'CREATE' || a.operation === 'UPDATE') && (isPod(a) || isEphemeral(a)),
    async validate(a) {
      let status: Status
      try {
        status = await ask(specOf(a))
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        log.warn({ error: why, allowed: defaultAllow, namespace: a.namespace, pod: a.name }, 'the image policy webhook could not be asked')
        if (!defaultAllow) throw refused(a, why)
        return a.context.annotate(failedOpen, 'true')
      }
      for (const [key, value] of Object.entries(status.auditAnnotations ?? {})) if (typeof value === 'string') a.context.annotate(`imagepolicywebhook.image-policy.k8s.io/${key}`, value)
      if (status.allowed !== true) throw refused(a, status.reason ? `image policy webhook backend denied one or more images: ${status.reason}` : 'one or more images rejected by webhook backend')
    },
  }
}

const isEphemeral = (a: AdmissionAttributes): boolean => a.resource.groupResource === 'pods' && a.subresource === 'ephemeralcontainers'

/** `ImageReviewSpec`: the images that the request is about, and the pod's annotations that are meant for the server. */
function specOf(a: AdmissionAttributes): object {
  const { spec, metadata } = podOf(a)
  const all: readonly (core.Container | core.EphemeralContainer)[] = isEphemeral(a) ? spec.ephemeralContainers ?? [] : [...spec.containers, ...(spec.initContainers ?? [])]
  const annotations = Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => key.includes('.image-policy.k8s.io/')))
  return {
    ...(all.length > 0 ? { containers: all.map(({ image }) => (image ? { image } : {})) } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    ...(a.namespace ? { namespace: a.namespace } : {}),
  }
}
