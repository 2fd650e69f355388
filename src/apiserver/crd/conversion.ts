/** Objects of one version as those of another: by name alone, or by asking a webhook. */
import { randomUUID } from 'node:crypto'
import type { apiextensions } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { ApiError } from '../../machinery/errors.ts'
import { found } from '../../machinery/field.ts'
import { parseExactly } from '../../machinery/json.ts'
import { validateAnnotations, validateLabels } from '../../machinery/objectmeta.ts'
import { post } from '../admission/webhooks/call.ts'
import type { FindWebhook } from '../admission/webhooks/endpoint.ts'
import { withMeta } from '../registry/meta.ts'

/** Converts objects, all of one kind and not yet of the version. Rejects with `ApiError` 500 that says what went wrong. */
export type Convert = (objects: readonly ApiObject[], apiVersion: string) => Promise<readonly ApiObject[]>

/** How long a webhook may take. */
const seconds = 30
/** Objects in one review: putting more of them into text at once would hold up everybody else. */
const most = 250

/** The versions of ConversionReview that are spoken; a webhook names those that it understands, the one it likes best first. */
const reviewVersions = ['v1', 'v1beta1']

/** Asks the webhook of a definition, the objects of one version together. */
export function webhookConversion({ clientConfig, conversionReviewVersions }: apiextensions.WebhookConversion, find: FindWebhook): Convert {
  const version = conversionReviewVersions.find((one) => reviewVersions.includes(one))
  const called = async (objects: readonly ApiObject[], desiredAPIVersion: string): Promise<readonly unknown[]> => {
    if (!version) throw new Error('no supported conversion review versions')
    const uid = randomUUID()
    const apiVersion = `apiextensions.k8s.io/${version}`
    const review = { kind: 'ConversionReview', apiVersion, request: { uid, desiredAPIVersion, objects } }
    return convertedOf(await post(find(clientConfig ?? {}), clientConfig?.caBundle, JSON.stringify(review), seconds), uid, apiVersion)
  }
  const ask = async (objects: readonly ApiObject[], desiredAPIVersion: string): Promise<readonly ApiObject[]> => {
    const { apiVersion, kind } = objects[0] as ApiObject
    const wrong = (why: string): ApiError => new ApiError(500, '', `conversion webhook for ${apiVersion}, Kind=${kind} ${why}`)
    let converted: readonly unknown[]
    try {
      converted = await called(objects, desiredAPIVersion)
    } catch (error) {
      throw wrong(`failed: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (converted.length !== objects.length) throw wrong(`returned ${converted.length} objects, expected ${objects.length}`)
    return converted.map((value, i) => restored(objects[i] as ApiObject, value, desiredAPIVersion, wrong))
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

function convertedOf(text: string, uid: string, expected: string): readonly unknown[] {
  const { kind, apiVersion, response } = parseExactly(text) as Answer
  if (kind !== 'ConversionReview' || apiVersion !== expected) throw new Error(`expected webhook response of ${expected}, Kind=ConversionReview, got ${String(apiVersion ?? '/')}, Kind=${String(kind ?? '')}`)
  if (!response) throw new Error('no response provided')
  // Of v1beta1 the uid was never looked at.
  if (expected.endsWith('/v1') && response.uid !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  if (response.result?.status !== 'Success') throw new Error(response.result?.message || `response.result.status was '${response.result?.status ?? ''}', not 'Success'`)
  return response.convertedObjects ?? []
}

/** A converted object with the metadata it had: a conversion may change labels and annotations, nothing else of it. */
function restored(before: ApiObject, value: unknown, apiVersion: string, wrong: (why: string) => ApiError): ApiObject {
  const next = value as Partial<ApiObject> | null
  const { kind } = before
  if (typeof next !== 'object' || next === null || !next.kind) throw wrong('returned invalid object at index 0: Object \'Kind\' is missing')
  if (next.apiVersion !== apiVersion) throw wrong(`returned invalid object at index 0: invalid groupVersion (expected ${apiVersion}, received ${next.apiVersion ?? ''})`)
  if (next.kind !== kind) throw wrong(`returned invalid object at index 0: invalid kind (expected ${kind}, received ${next.kind})`)
  if (next.metadata !== undefined && (typeof next.metadata !== 'object' || next.metadata === null)) throw wrong(`returned invalid metadata: metadata must be an object, but is ${typeOf(next.metadata)} in converted object`)
  for (const key of ['name', 'namespace', 'uid'] as const) {
    const [is, was] = [next.metadata?.[key] ?? '', before.metadata[key] ?? '']
    if (is !== was) throw wrong(`returned invalid object: must have the same ${key === 'uid' ? 'UID' : key}: ${was} != ${is}`)
  }
  const { labels, annotations } = next.metadata ?? {}
  checkTexts({ labels, annotations }, wrong)
  return { ...next, metadata: withMeta(before, { labels, annotations }).metadata } as ApiObject
}

/** Labels and annotations are the webhook's own, and as good as those of clients. */
function checkTexts({ labels, annotations }: Pick<ApiObject['metadata'], 'labels' | 'annotations'>, wrong: (why: string) => ApiError): void {
  for (const [field, texts] of Object.entries({ labels, annotations })) {
    if (texts === undefined || texts === null) continue
    if (typeof texts !== 'object') throw wrong(`returned invalid metadata: metadata.${field} must be an object, but is ${typeOf(texts)} in converted object`)
    const other = Object.entries(texts).find(([, text]) => typeof text !== 'string')
    if (other) throw wrong(`returned invalid metadata: metadata.${field}[${other[0]}] must be a string, but is ${typeOf(other[1])} in converted object`)
  }
  const errors = found((at) => {
    validateLabels(labels, at.at('labels'))
    validateAnnotations(annotations, at.at('annotations'))
  }, 'metadata')
  if (errors.length > 0) throw wrong(`returned invalid metadata: ${errors.length > 1 ? `[${errors.map(String).join(', ')}]` : String(errors[0])}`)
}

/** A type as it is called in Go. */
const typeOf = (value: unknown): string => (typeof value === 'bigint' ? 'int64' : typeof value === 'number' ? (Number.isInteger(value) ? 'int64' : 'float64') : typeof value === 'boolean' ? 'bool' : Array.isArray(value) ? '[]interface {}' : typeof value === 'object' ? 'map[string]interface {}' : typeof value)
