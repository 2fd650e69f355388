/** The few differences between resources in deletion and storage that are not part of their strategies. */
import type { Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { apiextensions, core } from '../../api/index.ts'
import { cleanupFinalizer, deletionPending } from '../crd/cleanup.ts'
import { withCondition } from '../crd/conditions.ts'
import { withMeta } from './meta.ts'

export interface Rule {
  /** Seconds after which the store drops an object. */
  readonly ttl?: number
  /** A delete that takes effect at once answers with the object instead of a Success status. */
  readonly returnsDeleted?: boolean
  /** Dependents are orphaned when a deletion does not say otherwise, as before there was a garbage collector. `warning`: for such clients. */
  readonly orphans?: { readonly warning?: string }
  /** Why nobody may delete the object; undefined when it may be deleted. */
  refusal?(object: ApiObject): string | undefined
  /** Whether something besides `metadata.finalizers` keeps a deleted object. */
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

/** A definition waits until its objects are gone, whoever deletes it. */
const definitionRule: Rule = {
  held: (object) => !object.metadata.deletionTimestamp,
  terminating: (object) => {
    const { finalizers = [], generation = 1 } = object.metadata
    // It waits for its own objects whatever the propagation policy; and a deletion does not count as a change of it.
    const kept = finalizers.filter((name) => name !== 'foregroundDeletion' && name !== 'orphan')
    const definition = withMeta(object, { finalizers: [...new Set([...kept, cleanupFinalizer])], generation: generation - 1, deletionGracePeriodSeconds: undefined }) as unknown as apiextensions.CustomResourceDefinition
    const conditions = withCondition(definition.status.conditions, deletionPending, Date.parse(object.metadata.deletionTimestamp ?? ''))
    return { ...definition, status: { ...definition.status, conditions } } as unknown as ApiObject
  },
}

const keptPods = 'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning'

/** The two priority classes of the system's own pods cannot be deleted. */
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
