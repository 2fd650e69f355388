/** The subresources that are part of their object: how each is shown, and what an update through it may change. */
import { autoscalingV1, type JsonObject, type Resource, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { invalid, type ResourceName } from '../../machinery/errors.ts'
import { found } from '../../machinery/field.ts'
import { fromLabelSelector, selectorFromSet } from '../../machinery/labels.ts'
import { approvalRules } from './certificates/approval.ts'
import { bodyOf, withMeta } from './meta.ts'
import { notNegative } from './checks.ts'
import { scalePrinter } from './scale-table.ts'
import type { Served } from './served.ts'
import type { Printer } from '../strategy.ts'
import { statusRules, objectRules, type Seen, type UpdateRules } from './update.ts'

export interface Subresource {
  /** The type on the wire. */
  readonly kind: string
  readonly apiVersion: string
  readonly type: StructType<ApiObject>
  readonly verbs: readonly ('get' | 'update')[]
  /** The wire form of an object, and the object with a changed wire form put in. Left out: they are the same. `asked`: a client reads it, so it must be well-formed. */
  show?(object: ApiObject, asked?: boolean): ApiObject
  put?(shown: ApiObject, object: ApiObject): ApiObject
  /** The fields of the object that a configuration of the wire form states, for apply. Left out: its spec. */
  stated?(configuration: JsonObject): JsonObject
  rules(served: Served): UpdateRules
  /** The table columns of its wire form, where they differ from the object's. */
  readonly printer?: Printer<ApiObject>
  /** The name in the 404 when its object is missing. Left out: the object's. */
  readonly missing?: ResourceName | undefined
}

const scaleOf = (object: ApiObject): ApiObject => {
  const { spec, status } = bodyOf(object) as { spec?: { replicas?: number; selector?: unknown }; status?: { replicas?: number } }
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = selectorText(object.kind, spec?.selector)
  const scale = {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: spec?.replicas ? { replicas: spec.replicas } : {},
    status: { replicas: status?.replicas ?? 0, ...(selector ? { selector } : {}) },
  }
  return scale
}

const selectorText = (kind: string, selector: unknown): string =>
  (kind === 'ReplicationController' ? selectorFromSet(selector as Record<string, string>) : fromLabelSelector(selector as Parameters<typeof fromLabelSelector>[0])).toString()

const scaled = (shown: ApiObject, object: ApiObject): ApiObject => {
  const scale = shown as unknown as autoscalingV1.Scale
  const { spec } = bodyOf(object) as { spec?: object }
  const { uid, resourceVersion } = scale.metadata
  return { ...withMeta(object, { uid, resourceVersion }), spec: { ...spec, replicas: scale.spec.replicas ?? 0 } } as ApiObject
}

/** Throws `ApiError` 422, about the Scale, whatever it is the scale of. */
function checkReplicas(next: ApiObject): void {
  const { replicas = 0 } = (bodyOf(next).spec ?? {}) as { replicas?: number }
  const wrong = found((root) => notNegative(root.at('spec').at('replicas'), replicas))
  if (wrong.length > 0) throw invalid({ group: 'autoscaling', kind: 'Scale' }, next.metadata.name ?? '', wrong)
}

/** The name of a missing scale; those of stateful sets are called after their set. */
const missingScales: Readonly<Record<string, ResourceName>> = {
  'deployments.apps': { group: 'apps', plural: 'deployments/scale' },
  'replicasets.apps': { group: 'apps', plural: 'replicasets/scale' },
  replicationcontrollers: { group: 'autoscaling', plural: 'replicationcontrollers/scale' },
}

/** The rules of an update that may change only metadata, and what `take` copies from the next object. */
const only = (take: (next: ApiObject, current: ApiObject) => object): UpdateRules => ({
  prepare: (next, current) => ({ ...current, metadata: withMeta(next, { resourceVersion: undefined }).metadata, ...take(next, current) }),
  validate: () => {},
  counts: false,
})

const specOf = (object: ApiObject) => (bodyOf(object).spec ?? {}) as Readonly<Record<string, unknown>>
const finalizeRules = only((next, current) => ({ spec: { ...specOf(current), finalizers: specOf(next)['finalizers'] } }))

const scale: Seen = { type: autoscalingV1.Scale as unknown as StructType<ApiObject>, show: scaleOf, put: scaled }

const readWrite = ['get', 'update'] as const

/** A resource's subresource; undefined when it is not part of the object. */
export const subresourceOf = ({ resource, custom }: Pick<Served, 'resource' | 'custom'>, name: string): Subresource | undefined =>
  custom ? custom.subresource(name) : builtInSubresource(resource, name)

function builtInSubresource(resource: Resource, name: string): Subresource | undefined {
  if (!resource.subresources.includes(name)) return undefined
  const own = { kind: resource.kind, apiVersion: resource.apiVersion, type: resource.type as unknown as StructType<ApiObject> }
  switch (name) {
    case 'status': return { ...own, verbs: readWrite, rules: statusRules }
    case 'scale': return {
      kind: 'Scale', apiVersion: 'autoscaling/v1', ...scale, verbs: readWrite,
      rules: (served) => ({ ...objectRules(served), validate: (next) => checkReplicas(next), seen: scale }),
      missing: missingScales[resource.groupResource],
      printer: scalePrinter,
    }
    // The strategy of pods says what may change through these two.
    case 'ephemeralcontainers': case 'resize': return { ...own, verbs: readWrite, rules: objectRules }
    case 'approval': return { ...own, verbs: readWrite, rules: () => approvalRules }
    case 'finalize': return { ...own, verbs: ['update'], rules: () => finalizeRules }
    default: return undefined
  }
}
