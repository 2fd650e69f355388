/** The few things about deletion and storage that differ between resources and are no matter of their strategies. */
import type { Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { apiextensions, core } from '../../api/index.ts'
import { cleanupFinalizer, deletionPending } from '../crd/cleanup.ts'
import { withCondition } from '../crd/conditions.ts'
import { withMeta } from './meta.ts'

export interface Rule {
  /** Seconds after which the store drops an object by itself. */
  readonly ttl?: number
  /** A delete that takes effect at once answers with the object instead of a Success status. */
  readonly returnsDeleted?: boolean
  /** What an object owns stays when its deletion does not say what becomes of that: so it was before there was a garbage collector. `warning`: what such clients are told. */
  readonly orphans?: { readonly warning?: string }
  /** Why the object must not be deleted by anybody; undefined when it may. */
  refusal?(object: ApiObject): string | undefined
  /** Whether something beside `metadata.finalizers` keeps a deleted object. */
  held?(object: ApiObject): boolean
  /** The object when its deletion starts but has to wait. */
  terminating?(object: ApiObject): ApiObject
}

const namespaceRule: Rule = {
  held: (object) => ((object as unknown as core.Namespace).spec.finalizers?.length ?? 0) > 0,
  terminating: (object) => {
    const namespace = object as unknown as core.Namespace
    return { ...namespace, status: { ...namespace.status, phase: 'Terminating' } } as unknown as ApiObject
  },
}

/** Its objects go first: the definition waits for them, whoever deletes it. */
const definitionRule: Rule = {
  held: (object) => !object.metadata.deletionTimestamp,
  terminating: (object) => {
    const { finalizers = [], generation = 1 } = object.metadata
    // It waits for its own objects, whatever is to become of what else it owns; and its deletion is no change of it.
    const kept = finalizers.filter((name) => name !== 'foregroundDeletion' && name !== 'orphan')
    const definition = withMeta(object, { finalizers: [...new Set([...kept, cleanupFinalizer])], generation: generation - 1, deletionGracePeriodSeconds: undefined }) as unknown as apiextensions.CustomResourceDefinition
    const conditions = withCondition(definition.status.conditions, deletionPending, Date.parse(object.metadata.deletionTimestamp ?? ''))
    return { ...definition, status: { ...definition.status, conditions } } as unknown as ApiObject
  },
}

const keptPods = 'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning'

/** The two classes that the system's own pods are of stay. */
const priorityRule: Rule = {
  refusal: ({ metadata: { name = '' } }) =>
    (name === 'system-node-critical' || name === 'system-cluster-critical' ? 'this is a system priority class and cannot be deleted' : undefined),
}

const returning: Rule = { returnsDeleted: true }

/** By `groupResource`. */
const rules: Readonly<Record<string, Rule>> = {
  namespaces: namespaceRule,
  'customresourcedefinitions.apiextensions.k8s.io': definitionRule,
  events: { ttl: 3600 },
  replicationcontrollers: { orphans: {} },
  'jobs.batch': { orphans: { warning: keptPods } },
  'priorityclasses.scheduling.k8s.io': priorityRule,
  pods: returning,
  persistentvolumes: returning,
  persistentvolumeclaims: returning,
  podtemplates: returning,
  resourcequotas: returning,
  serviceaccounts: returning,
  services: returning,
  'csidrivers.storage.k8s.io': returning,
  'csinodes.storage.k8s.io': returning,
  'storageclasses.storage.k8s.io': returning,
  'volumeattachments.storage.k8s.io': returning,
}
const none: Rule = {}

export const ruleOf = (resource: Resource): Rule => rules[resource.groupResource] ?? none
