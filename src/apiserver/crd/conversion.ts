/** Objects of one version as those of another: by name alone, or by asking a webhook. */
import { randomUUID } from 'node:crypto'
import type { apiextensions } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { internal } from '../../machinery/errors.ts'
import { post } from '../admission/webhooks/call.ts'
import type { FindWebhook } from '../admission/webhooks/endpoint.ts'
import { withMeta } from '../registry/meta.ts'

/** Converts objects, all of one kind and not yet of the version. Rejects with `ApiError` 500 that says what went wrong. */
export type Convert = (objects: readonly ApiObject[], apiVersion: string) => Promise<readonly ApiObject[]>

/** How long a webhook may take. */
const seconds = 30
/** Objects in one review: putting more of them into text at once would hold up everybody else. */
const most = 250

/** Asks the webhook of a definition, the objects of one version together. */
export function webhookConversion({ clientConfig, conversionReviewVersions }: apiextensions.WebhookConversion, find: FindWebhook): Convert {
  const ask = async (objects: readonly ApiObject[], desiredAPIVersion: string): Promise<readonly ApiObject[]> => {
    const first = objects[0] as ApiObject
    try {
      if (!conversionReviewVersions.includes('v1')) throw new Error('the webhook takes no ConversionReview of a version that is spoken here: v1')
      const uid = randomUUID()
      const review = { kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', request: { uid, desiredAPIVersion, objects } }
      const text = await post(find(clientConfig ?? {}), clientConfig?.caBundle, JSON.stringify(review), seconds)
      return restored(objects, convertedOf(text, uid), desiredAPIVersion)
    } catch (error) {
      throw internal(`conversion webhook for ${first.apiVersion}, Kind=${first.kind} failed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return async (objects, apiVersion) => {
    const groups = Map.groupBy(objects, (object) => object.apiVersion)
    if (groups.size === 1 && objects.length <= most) return ask(objects, apiVersion)
    const converted = new Map<ApiObject, ApiObject>()
    for (const group of groups.values()) {
      for (let from = 0; from < group.length; from += most) {
        const part = group.slice(from, from + most)
        for (const [i, next] of (await ask(part, apiVersion)).entries()) converted.set(part[i] as ApiObject, next)
      }
    }
    return objects.map((object) => converted.get(object) as ApiObject)
  }
}

interface Answer {
  readonly kind?: unknown
  readonly apiVersion?: unknown
  readonly response?: { readonly uid?: string; readonly result?: { readonly status?: string; readonly message?: string }; readonly convertedObjects?: readonly unknown[] }
}

function convertedOf(text: string, uid: string): readonly unknown[] {
  const { kind, apiVersion, response } = JSON.parse(text) as Answer
  if (kind !== 'ConversionReview' || apiVersion !== 'apiextensions.k8s.io/v1') {
    throw new Error(`invalid response: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got ${String(apiVersion)}, Kind=${String(kind)}`)
  }
  if (!response) throw new Error('no response provided')
  if (response.uid !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  if (response.result?.status !== 'Success') {
    throw new Error(response.result?.message || `response.result.status was ${JSON.stringify(response.result?.status ?? '')}, not 'Success'`)
  }
  return response.convertedObjects ?? []
}

/** The converted objects with the metadata they had: a conversion may change labels and annotations, nothing else of it. */
function restored(objects: readonly ApiObject[], converted: readonly unknown[], apiVersion: string): readonly ApiObject[] {
  if (converted.length !== objects.length) throw new Error(`webhook returned ${converted.length} objects, expected ${objects.length}`)
  return converted.map((value, i) => {
    const before = objects[i] as ApiObject
    const next = value as Partial<ApiObject> | null
    const wrong = (why: string) => new Error(`webhook returned invalid converted object at index ${i}: ${why}`)
    if (typeof next !== 'object' || next === null || typeof next.metadata !== 'object' || next.metadata === null) throw wrong('missing metadata in converted object')
    if (next.apiVersion !== apiVersion) throw wrong(`invalid groupVersion (expected ${apiVersion}, received ${String(next.apiVersion)})`)
    if (next.kind !== before.kind) throw wrong(`invalid kind (expected ${before.kind}, received ${String(next.kind)})`)
    for (const key of ['name', 'namespace', 'uid'] as const) {
      const [is, was] = [next.metadata[key] ?? '', before.metadata[key] ?? '']
      if (is !== was) throw wrong(`must have the same ${key === 'uid' ? 'UID' : key}: ${was} != ${is}`)
    }
    const { labels, annotations } = next.metadata
    return { ...next, metadata: withMeta(before, { labels, annotations }).metadata } as ApiObject
  })
}
