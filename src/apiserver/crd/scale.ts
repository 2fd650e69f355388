/** The scale of a custom object: the number of replicas, wherever its definition says that it stands. */
import { autoscalingV1, type apiextensions, type JsonObject, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { badRequest, internal } from '../../machinery/errors.ts'
import type { Place } from '../../machinery/field.ts'
import { goText, goType } from '../../machinery/go-text.ts'
import { withMeta } from '../registry/meta.ts'
import type { Subresource } from '../registry/subresources.ts'
import { objectRules, type Seen } from '../registry/update.ts'
import { customScalePrinter } from '../registry/scale-table.ts'

type Paths = apiextensions.CustomResourceSubresourceScale

const partsOf = (jsonPath: string): readonly string[] => jsonPath.replace(/^\./, '').split('.')

/** The value at a path of names. */
export function valueAt(object: unknown, parts: readonly string[]): unknown {
  let value = object
  for (const part of parts) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[part]
  }
  return value
}

/** The object with another value at a path of names. */
function withValueAt(object: unknown, [part, ...rest]: readonly string[], value: unknown): unknown {
  if (part === undefined) return value
  const old = (typeof object === 'object' && object !== null ? object : {}) as Readonly<Record<string, unknown>>
  return { ...old, [part]: withValueAt(Object.hasOwn(old, part) ? old[part] : undefined, rest, value) }
}

const largest = 2 ** 31 - 1

/** What is wrong with the places that a scale is made of. */
export function checkScale({ specReplicasPath, statusReplicasPath, labelSelectorPath }: Paths, object: ApiObject, root: Place): void {
  for (const at of [specReplicasPath, statusReplicasPath]) {
    const value = valueAt(object, partsOf(at))
    if (value === undefined) continue
    if (!Number.isInteger(value)) root.at(at).invalid(0, `${at} accessor error: ${goText(value)} is of the type ${value === null ? '<nil>' : goType(value)}, expected int64`)
    else if ((value as number) < 0) root.at(at).invalid(value, 'should be a non-negative integer')
    else if ((value as number) > largest) root.at(at).invalid(value, `should be less than or equal to ${largest}`)
  }
  const selector = labelSelectorPath ? valueAt(object, partsOf(labelSelectorPath)) : undefined
  if (labelSelectorPath && selector !== undefined && typeof selector !== 'string') {
    root.at(labelSelectorPath).invalid('', `${labelSelectorPath} accessor error: ${goText(selector)} is of the type ${selector === null ? '<nil>' : goType(selector)}, expected string`)
  }
}

/** The `scale` subresource of a version. */
export function scaleOf(paths: Paths): Subresource {
  const wanted = partsOf(paths.specReplicasPath)
  const there = partsOf(paths.statusReplicasPath)
  const selecting = paths.labelSelectorPath ? partsOf(paths.labelSelectorPath) : undefined
  const seen: Seen & Pick<Subresource, 'show'> = {
    type: autoscalingV1.Scale as unknown as StructType<ApiObject>,
    show(object, asked = false) {
      const replicas = valueAt(object, wanted) as number | undefined
      if (asked && replicas === undefined) throw internal(`the spec replicas field ${JSON.stringify(paths.specReplicasPath)} does not exist`)
      const selector = selecting && valueAt(object, selecting)
      const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
      const scale = {
        kind: 'Scale', apiVersion: 'autoscaling/v1',
        metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
        spec: replicas ? { replicas } : {},
        status: { replicas: (valueAt(object, there) as number | undefined) ?? 0, ...(selector ? { selector } : {}) },
      }
      return scale as unknown as ApiObject
    },
    put(shown, object) {
      const { metadata, spec } = shown as unknown as autoscalingV1.Scale
      const { uid, resourceVersion } = metadata
      if (spec.replicas === undefined && valueAt(object, wanted) === undefined) {
        throw badRequest(`the spec replicas field ${JSON.stringify(paths.specReplicasPath)} cannot be empty`)
      }
      const next = withValueAt(object, wanted, spec.replicas ?? 0) as ApiObject
      return withMeta(next, { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) })
    },
  }
  return {
    kind: 'Scale', apiVersion: 'autoscaling/v1', ...seen, verbs: ['get', 'update'],
    printer: customScalePrinter,
    stated: (configuration) => {
      const { spec } = configuration as { readonly spec?: JsonObject }
      return spec && 'replicas' in spec ? (withValueAt({}, wanted, spec['replicas']) as JsonObject) : {}
    },
    rules: (served) => ({ ...objectRules(served), seen }),
  }
}
